"""The single-curve oracle must beat every other single curve, and recover one that is exact."""

import numpy as np
import pytest
from scipy.stats import rankdata

from hail_mri.errors import InputError
from hail_mri.evaluation.metrics import psnr
from hail_mri.evaluation.oracle import best_single_curve


@pytest.fixture
def source():
    return np.random.default_rng(0).gamma(4, 100, (40, 40, 40)).astype(np.float32)


@pytest.fixture
def mask(source):
    return np.indices(source.shape).sum(axis=0) > 40


def test_truth_that_is_a_curve_of_the_source_is_recovered(source, mask):
    truth = 2000 * np.exp(-(((source - 350) / 300) ** 2))  # rises and falls
    curve = best_single_curve(source, truth, mask)
    assert psnr(curve, truth, data_range=2000, mask=mask) > 60


def test_few_intensities_get_exactly_their_mean(mask):
    rng = np.random.default_rng(1)
    source = rng.integers(0, 50, mask.shape)
    truth = rng.normal(0, 1, mask.shape) + source % 7
    curve = best_single_curve(source, truth, mask)
    for value in range(50):
        assert curve[source == value] == pytest.approx(truth[mask & (source == value)].mean(), abs=1e-5)


def test_no_polynomial_and_no_quantile_curve_is_closer_to_the_truth(source, mask):
    rng = np.random.default_rng(2)
    truth = 3 * np.sqrt(source) + rng.normal(0, 5, source.shape)
    error = np.mean((best_single_curve(source, truth, mask) - truth)[mask] ** 2)
    polynomial = np.polynomial.Polynomial.fit(source[mask], truth[mask], 5)
    quantiles = np.sort(truth[mask])[rankdata(source[mask], "ordinal") - 1]
    assert error < np.mean((polynomial(source[mask]) - truth[mask]) ** 2)
    assert error < np.mean((quantiles - truth[mask]) ** 2)


def test_truth_outside_the_mask_does_not_count(source, mask):
    truth = 2 * source
    expected = best_single_curve(source, truth, mask)
    np.testing.assert_array_equal(best_single_curve(source, np.where(mask, truth, -1e6), mask), expected)


def test_empty_mask_and_other_shapes_are_refused(source, mask):
    with pytest.raises(InputError, match="mask is empty"):
        best_single_curve(source, source, np.zeros_like(mask))
    with pytest.raises(InputError, match="shapes differ"):
        best_single_curve(source, source[1:], mask)
