"""Matrices of an axis against NumPy, SciPy and brute force."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from hail_mri.image.resampling import area_weights, axis_weights


@given(n_to=st.integers(1, 40), spacing_to=st.floats(0.3, 1.0), offset=st.floats(-5, 5), is_reversed=st.booleans())
def test_going_finer_is_linear_interpolation_that_holds_the_ends(n_to, spacing_to, offset, is_reversed):
    column = np.random.default_rng(0).uniform(size=9)
    step = -spacing_to if is_reversed else spacing_to
    found = axis_weights(n_to, 9, step, 1.0, offset) @ column
    np.testing.assert_allclose(found, np.interp(offset + step * np.arange(n_to), np.arange(9), column), atol=1e-6)


def test_going_coarser_is_a_gaussian_first_as_scipy_does_it():
    column = np.random.default_rng(0).uniform(size=24)
    sigma = np.sqrt((3**2 - 1) / (8 * np.log(2)))
    expected = gaussian_filter1d(column, sigma, mode="nearest", truncate=4.5)[1::3]
    np.testing.assert_allclose(axis_weights(8, 24, 3.0, 1.0, 1.0) @ column, expected, rtol=1e-4)


def test_fine_stripes_become_grey_and_no_false_stripes():
    stripes = np.arange(64) % 2 * 100.0
    np.testing.assert_allclose((axis_weights(18, 64, 3.5, 1.0, 0.0) @ stripes)[2:-2], 50, atol=2)


def test_an_axis_of_one_voxel_is_constant():
    np.testing.assert_allclose(axis_weights(5, 1, 0.5, 4.0, -1.0), 1)


def brute_force_mean(column, low, high, spacing):
    """Mean of a piecewise constant column between two places in mm; voxel 0 is centred at 0, beyond is 0."""
    steps = np.linspace(low, high, 20_001)
    middles = (steps[1:] + steps[:-1]) / 2
    voxels = np.floor(middles / spacing + 0.5).astype(int)
    inside = (voxels >= 0) & (voxels < len(column))
    return np.where(inside, column[np.clip(voxels, 0, len(column) - 1)], 0).mean()


@pytest.mark.parametrize(
    ("spacing_to", "spacing_from", "offset"),
    [
        pytest.param(4.0, 1.0, 1.5, id="whole voxels"),
        pytest.param(4.0, 1.3, 0.7, id="parts of voxels"),
        pytest.param(4.0, 6.0, -1.0, id="finer than before"),
        pytest.param(4.0, 4.0, 2.0, id="shifted"),
        pytest.param(4.0, 1.1, -9.0, id="beyond both ends"),
    ],
)
def test_area_weights_agree_with_a_brute_force_mean(spacing_to, spacing_from, offset):
    column = np.random.default_rng(0).uniform(size=17)
    found = area_weights(9, 17, spacing_to, spacing_from, offset) @ column
    edges = offset + spacing_to * (np.arange(10) - 0.5)
    expected = [brute_force_mean(column, *span, spacing_from) for span in pairwise(edges)]
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_area_weights_add_up_to_1_inside_and_to_less_beyond_the_field_of_view():
    sums = area_weights(5, 12, 4.0, 1.0, -2.5).sum(axis=1)
    np.testing.assert_allclose(sums, [0.0, 1.0, 1.0, 1.0, 0.0], atol=1e-6)


def test_area_weights_to_the_same_grid_change_nothing():
    np.testing.assert_array_equal(area_weights(7, 7, 1.3, 1.3, 0.0), np.eye(7))
