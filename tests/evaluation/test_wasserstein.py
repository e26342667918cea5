"""Distances of histograms against SciPy, against closed forms, and where there is nothing to measure."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from hail_mri.errors import InputError
from hail_mri.evaluation.wasserstein import NOTHING_TO_MOVE, SMALLEST_WAY, NormalizedDistance, nwd, wasserstein_distance

samples = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=40)


def nwd_by_scipy(source, target, harmonized):
    whole_way = stats.wasserstein_distance(source, target)
    return [100 * stats.wasserstein_distance(end, harmonized) / whole_way for end in (source, target)]


@pytest.fixture
def volumes():
    """Source, target and result: two smooth volumes of unequal sides in scanner units, and one between."""
    rng = np.random.default_rng(3)
    i, j, k = np.ogrid[0:11, 0:15, 0:20]
    target = 400 * (1 + np.sin(i / 3) * np.cos(j / 4) * np.sin(k / 5)) + rng.normal(0, 20, (11, 15, 20))
    source = 1.1 * target + rng.normal(0, 40, target.shape)
    return source.astype(np.float32), target.astype(np.float32), (0.95 * source).astype(np.float32)


@settings(deadline=None)
@given(samples, samples)
def test_distance_agrees_with_scipy_on_any_numbers(first, second):
    expected = stats.wasserstein_distance(first, second)
    assert wasserstein_distance(first, second) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(samples, samples, samples)
def test_distance_is_a_metric(a, b, c):
    assert wasserstein_distance(a, a[::-1]) == 0
    assert wasserstein_distance(a, b) == wasserstein_distance(b, a)
    assert wasserstein_distance(a, c) <= wasserstein_distance(a, b) + wasserstein_distance(b, c) + 1e-9


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param([5], [8], 3, id="two points"),
        pytest.param([1, 2, 3], [11, 12, 13], 10, id="shifted"),
        pytest.param([0, 0, 0, 1], [0, 1, 1, 1], 0.5, id="half of the mass moved by one"),
        pytest.param([7, 7, 7], [7], 0, id="one value, more often"),
        pytest.param([-1, 1], [0], 1, id="spread"),
        pytest.param(np.arange(100) / 99, np.zeros(1), 0.5, id="uniform to nothing"),
    ],
)
def test_distance_has_its_closed_form(first, second, expected):
    assert wasserstein_distance(first, second) == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(samples, samples, samples)
def test_nwd_agrees_with_equation_1_by_scipy_on_any_numbers(source, target, harmonized):
    spread = max(np.ptp(source), np.ptp(target))
    assume(stats.wasserstein_distance(source, target) > max(1e-3, SMALLEST_WAY * spread))  # of a thousand
    found = nwd(source, target, harmonized)
    assert [found.ip, found.tp] == pytest.approx(nwd_by_scipy(source, target, harmonized), rel=1e-6, abs=1e-6)


def test_nwd_agrees_with_scipy_on_many_voxels_with_ties():
    rng = np.random.default_rng(0)
    source, target = rng.normal(300, 90, 20_011).round(), rng.gamma(3, 80, 15_013).round()
    harmonized = rng.normal(250, 70, 17_029).round()
    found = nwd(source, target, harmonized)
    assert [found.ip, found.tp] == pytest.approx(nwd_by_scipy(source, target, harmonized), rel=1e-12)


def test_nwd_of_scans_exchanged_is_exchanged(volumes):
    source, target, _ = volumes
    found, turned = nwd(source, target, source + 30), nwd(target, source, source + 30)
    assert (found.ip, found.tp) == (turned.tp, turned.ip)


def test_nwd_tells_how_much_of_the_way_was_gone(volumes):
    source = volumes[0].astype(float)
    found = nwd(source, source + 200, source + 150)
    assert (found.ip, found.tp) == pytest.approx((75, 25))
    assert nwd(source, source + 200, source) == NormalizedDistance(0, 100)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_of_the_axes_does_not_matter(volumes, order):
    turned = nwd(*(volume.transpose(order) for volume in volumes))
    assert turned == nwd(*volumes)


@pytest.mark.parametrize("factor", [1e-3, 64.0])
def test_unit_does_not_matter(volumes, factor):
    scaled, found = nwd(*(volume * np.float64(factor) for volume in volumes)), nwd(*volumes)
    assert (scaled.ip, scaled.tp) == pytest.approx((found.ip, found.tp), rel=1e-9)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        pytest.param([1, 2, 3], [3, 1, 2], id="another order"),
        pytest.param([4, 4], [4, 4, 4], id="constant"),
        pytest.param([0.0], [0.0], id="all zero"),
        pytest.param(np.float32([1000, 2000]), np.float32([1000, 2000.0001]), id="but for rounding"),
    ],
)
def test_nwd_of_one_histogram_is_undefined_with_the_reason(source, target):
    assert nwd(source, target, [9.0]) == NormalizedDistance(None, None, NOTHING_TO_MOVE)


@pytest.mark.parametrize(
    ("part", "is_defined"), [pytest.param(0.004, False, id="less"), pytest.param(0.006, True, id="more")]
)
def test_nwd_of_a_way_that_is_small_beside_the_spread_is_undefined(part, is_defined):
    source = np.random.default_rng(1).normal(500, 100, 20_001)
    way = part * (np.quantile(source, 0.75) - np.quantile(source, 0.25))
    found = nwd(source, source + way, 1.1 * source)
    assert (found.ip is not None) is is_defined
    assert found.whole_way == pytest.approx(way)
    assert found.reason == ("" if is_defined else NOTHING_TO_MOVE)


def test_nwd_is_defined_as_soon_as_there_is_a_way():
    found = nwd(np.array([1000.0]), np.array([1000.001]), np.array([1000.0005]))
    assert (found.ip, found.tp, found.reason) == (pytest.approx(50, rel=1e-6), pytest.approx(50, rel=1e-6), "")


def test_integers_do_not_wrap_around():
    assert nwd(*(np.array([value], np.uint8) for value in (10, 0, 20))) == NormalizedDistance(100, 200)


def test_arguments_are_left_alone(volumes):
    before = [volume.copy() for volume in volumes]
    nwd(*volumes)
    for volume, copy in zip(volumes, before, strict=True):
        np.testing.assert_array_equal(volume, copy)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param([], "no intensities", id="empty"),
        pytest.param([1.0, np.nan], "not finite", id="NaN"),
        pytest.param([-np.inf, 1.0], "not finite", id="infinity"),
    ],
)
def test_what_cannot_be_measured_is_refused_wherever_it_stands(values, message):
    for place in range(3):
        arguments = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
        arguments[place] = values
        with pytest.raises(InputError, match=message) as caught:
            nwd(*arguments)
        assert caught.value.hint
