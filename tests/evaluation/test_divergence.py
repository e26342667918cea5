"""Jensen-Shannon divergence against SciPy, against closed forms, and on degenerate histograms."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from hail_mri.errors import InputError
from hail_mri.evaluation.divergence import jensen_shannon_divergence

samples = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=40)


def counts_of(first, second, n_bins):
    low, high = min(np.min(first), np.min(second)), max(np.max(first), np.max(second))
    return [np.histogram(values, n_bins, range=(low, high))[0] for values in (first, second)]


@settings(deadline=None)
@given(samples, samples, st.integers(2, 64))
def test_divergence_agrees_with_the_square_of_scipys_distance(first, second, n_bins):
    expected = jensenshannon(*counts_of(first, second, n_bins), base=2) ** 2
    assert jensen_shannon_divergence(first, second, n_bins=n_bins) == pytest.approx(expected, abs=1e-7)


def test_divergence_is_the_entropy_of_the_mixture_less_the_mean_entropy():
    rng = np.random.default_rng(0)
    first, second = rng.normal(300, 50, 5000), rng.gamma(4, 60, 4000)
    p, q = (counts / counts.sum() for counts in counts_of(first, second, 256))
    expected = entropy((p + q) / 2, base=2) - (entropy(p, base=2) + entropy(q, base=2)) / 2
    assert jensen_shannon_divergence(first, second) == pytest.approx(expected, abs=1e-12)


@given(samples, samples)
def test_divergence_is_symmetric_and_between_zero_and_one(first, second):
    found = jensen_shannon_divergence(first, second)
    assert 0 <= found <= 1
    assert found == pytest.approx(jensen_shannon_divergence(second, first), abs=1e-12)


@pytest.mark.parametrize("distance", [1.0, 1000.0])
def test_divergence_is_one_bit_however_far_histograms_are_apart(distance):
    assert jensen_shannon_divergence([0.0, 0.0], [distance, distance]) == 1


def test_half_of_the_voxels_moved_has_its_closed_form():
    mixture = np.array([0.75, 0.25])  # of (1, 0) and (1/2, 1/2)
    expected = (entropy([1, 0], mixture, base=2) + entropy([0.5, 0.5], mixture, base=2)) / 2
    assert jensen_shannon_divergence([0, 0], [0, 1], n_bins=2) == pytest.approx(expected, abs=1e-12)


def test_equal_constants_do_not_diverge():
    assert jensen_shannon_divergence([5.0, 5.0, 5.0], [5.0]) == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_of_the_axes_does_not_matter(order):
    first, second = np.random.default_rng(1).normal(0, 1, (2, 4, 5, 6))
    turned = jensen_shannon_divergence(first.transpose(order), second.transpose(order))
    assert turned == jensen_shannon_divergence(first, second)


@pytest.mark.parametrize(
    ("values", "n_bins", "message"),
    [
        pytest.param([], 256, "no intensities", id="empty"),
        pytest.param([np.nan], 256, "not finite", id="NaN"),
        pytest.param([1.0], 1, "at least 2", id="one bin"),
    ],
)
def test_what_cannot_be_measured_is_refused(values, n_bins, message):
    with pytest.raises(InputError, match=message) as caught:
        jensen_shannon_divergence([0.0, 1.0], values, n_bins=n_bins)
    assert caught.value.hint
