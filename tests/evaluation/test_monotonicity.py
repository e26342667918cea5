"""Monotonicity against scikit-learn's isotonic regression, its expectation by chance, and maps that are monotone."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from hail_mri.errors import InputError
from hail_mri.evaluation.monotonicity import monotonicity


@pytest.fixture
def source():
    """Noise in round numbers, so that there are ties, on sides that no block divides."""
    return np.random.default_rng(6).normal(300, 60, (13, 17, 18)).round(-1)


@pytest.fixture
def result(source):
    """A curve of the source with noise on it."""
    return np.sqrt(source + 200) + np.random.default_rng(7).normal(0, 1, source.shape)


@pytest.fixture
def mask():
    i, j, k = np.ogrid[0:13, 0:17, 0:18]
    return i + j - k < 9


def by_scikit_learn(source, result, mask, block):
    residual = total = 0.0
    for start in np.ndindex(*(-(-length // block) for length in source.shape)):
        cube = tuple(slice(s * block, (s + 1) * block) for s in start)
        x, y = source[cube][mask[cube]], result[cube][mask[cube]]
        if x.size:
            residual += np.sum((y - IsotonicRegression().fit(x, y).predict(x)) ** 2)
            total += np.sum((y - y.mean()) ** 2)
    return 1 - residual / total


@pytest.mark.parametrize("block", [3, 8, 40])
def test_monotonicity_agrees_with_scikit_learns_isotonic_regression(source, result, mask, block):
    expected = by_scikit_learn(source, result, mask, block)
    found = monotonicity(source, result, mask=mask, block=block).value
    assert found == pytest.approx(expected, abs=1e-9)
    assert 0.2 < found < 0.95


@pytest.mark.parametrize(
    "curve",
    [
        pytest.param(lambda x, _: 2 * x - 30, id="line"),
        pytest.param(lambda x, _: np.tanh((x - 300) / 50), id="curve"),
        pytest.param(lambda x, _: np.maximum(x, 300), id="clipped"),
        pytest.param(lambda x, place: x * (1 + place // 8), id="another curve in each block"),
    ],
)
def test_map_that_is_monotone_in_every_block_is_perfect(source, curve):
    place = np.indices(source.shape)[0]
    assert monotonicity(source, curve(source, place)).value == pytest.approx(1, abs=1e-12)


def test_map_turned_over_is_nothing(source):
    assert monotonicity(source, -source).value == pytest.approx(0, abs=1e-12)


def test_more_noise_is_less_monotone(source):
    noise = np.random.default_rng(8).normal(0, 1, source.shape)
    found = [monotonicity(source, source + level * noise).value for level in (0, 10, 50, 200)]
    assert found == sorted(found, reverse=True)
    assert found[0] == 1


@pytest.mark.parametrize("block", [4, 8])
def test_chance_explains_the_share_that_theory_expects(block):
    # Of n values in random order the curve has 1 + 1/2 + ... + 1/n steps on average (Robertson et al. 1988, chapter 2).
    rng = np.random.default_rng(9)
    n = block**3
    expected = (np.sum(1 / np.arange(1, n + 1)) - 1) / (n - 1)
    found = monotonicity(rng.random((40, 40, 40)), rng.normal(0, 1, (40, 40, 40)), block=block).value
    assert found == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_of_the_axes_does_not_matter(source, result, mask, order):
    turned = monotonicity(*(a.transpose(order) for a in (source, result)), mask=mask.transpose(order))
    assert turned.value == pytest.approx(monotonicity(source, result, mask=mask).value, abs=1e-9)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_units_do_not_matter(source, result, factor):
    expected = monotonicity(source, result).value
    assert monotonicity(source / factor - 5, result * factor + 7).value == pytest.approx(expected, abs=1e-6)


def test_constant_source_explains_nothing_and_constant_result_has_nothing_to_explain(source):
    flat = np.full_like(source, 3.0)
    assert monotonicity(flat, source).value == 0
    assert monotonicity(source, flat).reason == "the result is constant in every block"


def test_arguments_are_left_alone(source, result, mask):
    before = [a.copy() for a in (source, result, mask)]
    monotonicity(source, result, mask=mask)
    for array, copy in zip((source, result, mask), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"result": np.zeros((2, 2, 2))}, "the shapes differ", id="other shape"),
        pytest.param({"result": np.full((4, 5, 6), np.inf)}, "not finite", id="infinity"),
        pytest.param({"mask": np.zeros((4, 5, 6), bool)}, "mask is empty", id="empty mask"),
        pytest.param({"block": 1}, "at least 2", id="blocks of one voxel"),
        pytest.param({"source": np.ones(5), "result": np.ones(5)}, "three dimensions", id="line"),
    ],
)
def test_what_cannot_be_measured_is_refused(changed, message):
    with pytest.raises(InputError, match=message) as caught:
        monotonicity(**{"source": np.ones((4, 5, 6)), "result": np.ones((4, 5, 6)), **changed})
    assert caught.value.hint
