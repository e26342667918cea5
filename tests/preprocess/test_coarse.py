import numpy as np
import pytest

from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume
from hail_mri.preprocess.coarse import block_means, coarse_grid, coarse_volume, interpolated_blocks


def test_the_coarse_grid_fills_the_same_field_of_view(scan):
    grid = coarse_grid(scan.grid, 4.0)
    corners = [np.array([-0.5, -0.5, -0.5]), np.array(scan.shape) - 0.5]
    coarse_corners = [np.array([-0.5, -0.5, -0.5]), np.array(grid.shape) - 0.5]
    for fine, coarse in zip(corners, coarse_corners, strict=True):
        np.testing.assert_allclose(grid.affine @ [*coarse, 1], scan.affine @ [*fine, 1], atol=1e-9)


def test_axes_that_are_coarse_already_stay():
    grid = Grid((10, 12, 5), np.diag([1.0, 1.0, 6.0, 1.0]))
    assert coarse_grid(grid, 3.0).shape == (3, 4, 5)


def test_means_over_blocks_keep_the_mean(scan):
    assert block_means(scan.data, (5, 4, 3)).mean() == pytest.approx(scan.data.mean(), rel=1e-5)


def places(grid):
    return (
        np.einsum("ab,bijk->aijk", grid.affine[:3, :3], np.indices(grid.shape)) + grid.affine[:3, 3, None, None, None]
    )


def test_a_plane_in_space_is_the_same_plane_on_the_coarse_grid(scan):
    grid = Grid((12, 9, 8), scan.affine)
    x, y, z = places(grid)
    coarse = coarse_volume(Volume(x + 2 * y - z, grid.affine), 4.0)
    assert coarse.shape == (3, 3, 4)
    x, y, z = places(coarse.grid)
    np.testing.assert_allclose(coarse.data, x + 2 * y - z, atol=1e-3)


def test_interpolated_blocks_of_a_constant_are_that_constant():
    np.testing.assert_allclose(interpolated_blocks(np.full((2, 3, 4), 7, np.float32), (9, 8, 11)), 7, rtol=1e-6)
