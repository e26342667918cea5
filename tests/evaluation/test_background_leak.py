"""Background leak against SimpleITK's statistics, closed forms, and backgrounds that are not there."""

from itertools import permutations

import numpy as np
import pytest
import SimpleITK as sitk

from hail_mri.errors import InputError
from hail_mri.evaluation.background_leak import BackgroundLeak, background_leak


@pytest.fixture
def head():
    i, j, k = np.ogrid[-1:1:11j, -1:1:13j, -1:1:15j]
    return i**2 + j**2 + k**2 < 0.6


@pytest.fixture
def source(head):
    """A head in noise without a sign, as magnitudes are."""
    return np.abs(np.random.default_rng(0).normal(np.where(head, 400, 0), 8))


def test_excess_agrees_with_the_means_that_simpleitk_measures(source, head):
    result = np.abs(3 * source + np.random.default_rng(1).normal(0, 60, source.shape))
    levels = []
    for scan in (source, result):
        statistics = sitk.LabelStatisticsImageFilter()
        statistics.Execute(sitk.GetImageFromArray(scan), sitk.GetImageFromArray(head.astype(np.uint8)))
        levels.append(100 * statistics.GetMean(0) / statistics.GetMean(1))
    assert background_leak(source, result, head).excess == pytest.approx(levels[1] - levels[0], rel=1e-9)


def test_ghost_in_a_part_of_the_air_is_told_by_size_and_intensity(source, head):
    erased = np.where(head, source, 0)
    ghost = np.zeros_like(head)
    ghost[0] = True
    found = background_leak(erased, np.where(ghost & ~head, 0.1 * source[head].mean(), erased), head)
    share = 100 * (ghost & ~head).sum() / (~head).sum()
    assert found == BackgroundLeak(pytest.approx(share), pytest.approx(0.1 * share))


@pytest.mark.parametrize("factor", [1.0, 0.01, 7.0])
def test_source_in_other_units_leaks_nothing(source, head, factor):
    found = background_leak(source, factor * source, head)
    assert (found.share, found.excess) == (0, pytest.approx(0, abs=1e-9))


def test_air_that_is_wiped_clean_is_darker_and_no_leak(source, head):
    found = background_leak(source, np.where(head, source, 0), head)
    assert found.share == 0
    assert found.excess == pytest.approx(-100 * source[~head].mean() / source[head].mean())


def test_rounding_in_erased_air_is_no_leak(head):
    erased = np.where(head, 500.0, 0.0)
    assert background_leak(erased, erased + 1e-4, head).share == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_of_the_axes_does_not_matter(source, head, order):
    result = source + np.linspace(0, 50, source.size).reshape(source.shape)
    found = background_leak(*(array.transpose(order) for array in (source, result, head)))
    expected = background_leak(source, result, head)
    assert (found.share, found.excess) == pytest.approx((expected.share, expected.excess), rel=1e-9)


def test_without_air_or_without_signal_it_is_undefined(source, head):
    everywhere = np.ones_like(head)
    assert background_leak(source, source, everywhere) == BackgroundLeak(None, None, "there is no background")
    assert background_leak(source, np.zeros_like(source), head).reason == "the head is 0 everywhere in the result"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"result": np.ones(3)}, "the shapes differ", id="other shape"),
        pytest.param({"result": np.array([1.0, np.nan])}, "not finite", id="NaN"),
        pytest.param({"head": np.zeros(2, bool)}, "head mask is empty", id="no head"),
        pytest.param({"head": np.ones(3, bool)}, "head mask has the shape", id="head elsewhere"),
    ],
)
def test_what_cannot_be_measured_is_refused(changed, message):
    with pytest.raises(InputError, match=message) as caught:
        background_leak(**{"source": np.ones(2), "result": np.ones(2), "head": np.array([True, False]), **changed})
    assert caught.value.hint
