"""Resampling against SimpleITK, which looks voxels up by place in mm too (in LPS), and against what must hold."""

from itertools import pairwise

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, zoom
from scipy.spatial.transform import Rotation

from hail_mri.image.grid import Grid
from hail_mri.image.resampling import area_weights, axis_weights, resample
from hail_mri.image.volume import Volume

# ITK's x and y grow to the left and the back.
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def affine_of(spacing=(1, 1, 1), origin=(0, 0, 0), rotation=(0, 0, 0)):
    """Affine of a grid turned by angles in degrees."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", rotation, degrees=True).as_matrix() * np.asarray(spacing)
    affine[:3, 3] = origin
    return affine


def itk_image(data, affine):
    """Image of SimpleITK with the same voxels at the same places."""
    lps, spacing = RAS_TO_LPS @ affine, np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(data.T))
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    return image


def resampled_by_itk(volume, grid, interpolator):
    target = itk_image(np.zeros(grid.shape, dtype=np.float32), grid.affine)
    result = SimpleITK.Resample(itk_image(volume.data, volume.affine), target, SimpleITK.Transform(), interpolator, 0.0)
    return SimpleITK.GetArrayFromImage(result).T


def noise(shape=(12, 14, 10), affine=None, seed=0):
    return Volume(np.random.default_rng(seed).normal(300, 50, shape), affine_of() if affine is None else affine)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(
    ("affine_from", "affine_to"),
    [
        pytest.param(affine_of(), affine_of(origin=(0.3, -0.2, 0.4)), id="shifted by less than a voxel"),
        pytest.param(
            affine_of((1, 1, 2)), affine_of((0.7, 0.6, 0.9), (-3.05, -3.01, -3.03)), id="finer, larger field of view"
        ),
        pytest.param(affine_of(), affine_of((-0.9, 1, 1), (10, 0.1, 0.1)), id="flipped"),
        pytest.param(affine_of(), [[0, 0.9, 0, 1], [0, 0, -0.8, 9], [0.7, 0, 0, 2], [0, 0, 0, 1]], id="axes permuted"),
        pytest.param(
            affine_of(rotation=(10, 20, 30)), affine_of((0.9, 0.9, 0.8), (0.1, 1, 2)), id="oblique to straight"
        ),
        pytest.param(
            affine_of((1, 1.2, 0.8)), affine_of((0.7, 0.7, 0.7), (1, 2, 1.03), (5, -8, 3)), id="straight to oblique"
        ),
    ],
)
def test_simpleitk_finds_the_same_at_the_same_place(affine_from, affine_to, order):
    volume, grid = noise(affine=affine_from), Grid((15, 13, 16), affine_to)
    interpolator = (SimpleITK.sitkNearestNeighbor, SimpleITK.sitkLinear)[order]
    ours, theirs = resample(volume, grid, order=order).data, resampled_by_itk(volume, grid, interpolator)
    is_close = np.isclose(ours, theirs, atol=0.01)
    # A place exactly half-way between two voxels may go either way.
    assert is_close.mean() > 0.999
    assert (ours != 0).mean() > 0.2


def test_the_same_grid_gives_the_same_bits():
    volume = noise(affine=affine_of((1, 1, 2), (5, 6, 7), (10, 20, 30)))
    np.testing.assert_array_equal(resample(volume, volume.grid).data, volume.data)


def test_a_crop_and_a_border_of_zeros_are_resampled_exactly():
    volume = noise((12, 14, 10))
    np.testing.assert_array_equal(resample(volume, Grid((5, 14, 3), volume.affine)).data, volume.data[:5, :, :3])
    padded = resample(volume, Grid((15, 14, 12), volume.affine)).data
    np.testing.assert_array_equal(padded, np.pad(volume.data, ((0, 3), (0, 0), (0, 2))))


def test_both_ways_of_resampling_agree():
    volume = noise((20, 20, 20))
    straight = affine_of((2.5, 2.5, 2.5), (-1, 1, 0.4))
    barely_turned = affine_of((2.5, 2.5, 2.5), (-1, 1, 0.4), (0, 0, 0.01))
    by_axes, by_voxels = (resample(volume, Grid((8, 8, 8), affine)).data for affine in (straight, barely_turned))
    np.testing.assert_allclose(by_axes[1:-1, 1:-1, 1:-1], by_voxels[1:-1, 1:-1, 1:-1], atol=0.5)


@given(st.tuples(*[st.floats(0.4, 6.0)] * 3), st.tuples(*[st.floats(-40, 40)] * 3))
def test_ones_stay_ones_inside_and_become_0_outside(spacing, rotation):
    volume = Volume(np.ones((16, 16, 16)), affine_of(origin=(-7.5, -7.5, -7.5)))
    grid = Grid(
        (9, 9, 9),
        affine_of(
            spacing, -Rotation.from_euler("xyz", rotation, degrees=True).apply(np.multiply(spacing, 4)), rotation
        ),
    )
    data = resample(volume, grid).data
    places = (
        np.stack(np.meshgrid(*[np.arange(9)] * 3, indexing="ij"), axis=-1) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    )
    farthest = np.abs(places).max(axis=-1)
    np.testing.assert_allclose(data[farthest < 7.99], 1, rtol=1e-5)
    np.testing.assert_array_equal(data[farthest > 8.01], 0)


def test_a_coarser_grid_is_smoothed_as_scipy_does_it():
    volume = noise((24, 24, 24))
    grid = Grid((8, 8, 8), affine_of((3, 3, 3), (1, 1, 1)))
    sigma = np.sqrt((3**2 - 1) / (8 * np.log(2)))
    expected = gaussian_filter(volume.data.astype(float), sigma, mode="nearest", truncate=4.5)[1::3, 1::3, 1::3]
    np.testing.assert_allclose(resample(volume, grid).data, expected, rtol=1e-3)


def test_fine_stripes_become_grey_and_no_false_stripes():
    stripes = Volume(np.indices((64, 8, 8))[0] % 2 * 100.0, affine_of())
    grid = Grid((18, 8, 8), affine_of((3.5, 1, 1)))
    np.testing.assert_allclose(resample(stripes, grid).data[2:-2], 50, atol=2)


def test_a_ramp_survives_going_finer_exactly():
    ramp = Volume(np.indices((9, 9, 9)).sum(axis=0), affine_of())
    finer = resample(ramp, Grid((17, 17, 17), affine_of((0.5, 0.5, 0.5))))
    np.testing.assert_allclose(finer.data, zoom(ramp.data.astype(float), 17 / 9, order=1), atol=1e-4)


def test_labels_stay_labels():
    labels = Volume(np.random.default_rng(0).choice([0, 3, 42], (12, 12, 12)), affine_of())
    coarse = resample(labels, Grid((6, 6, 6), affine_of((2, 2, 2), (0.3, 0.3, 0.3), (3, 0, 0))), order=0)
    assert set(np.unique(coarse.data)) == {0, 3, 42}


def test_rows_of_weights_add_up_to_1_inside_and_0_outside():
    sums = axis_weights(9, 4, 1.0, 2.0, -1.5).sum(axis=1)  # from -1.5 to 6.5 mm; the voxels reach from -1 to 7 mm
    np.testing.assert_allclose(sums, [0, 1, 1, 1, 1, 1, 1, 1, 1], atol=1e-6)


def test_a_field_holds_beyond_its_border_on_request():
    field = axis_weights(5, 2, 10.0, 5.0, -20.0, hold_border=True) @ np.array([1.0, 3.0], dtype=np.float32)
    assert field[0] < field[-1]
    np.testing.assert_allclose(axis_weights(5, 2, 10.0, 5.0, -20.0, hold_border=True).sum(axis=1), 1, rtol=1e-6)


def test_resampling_leaves_its_input_alone_and_takes_header_and_warnings_along(scan):
    before = scan.data.copy()
    noted = Volume(scan.data, scan.affine, warnings=["a warning"])
    assert resample(noted, Grid((5, 5, 5), scan.affine)).warnings == ("a warning",)
    np.testing.assert_array_equal(scan.data, before)


def test_an_unknown_order_is_refused(scan):
    with pytest.raises(ValueError, match="order is 0"):
        resample(scan, scan.grid, order=3)


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
