import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid


@pytest.mark.parametrize(
    ("affine", "spacing", "axcodes"),
    [
        pytest.param(np.eye(4), [1, 1, 1], ("R", "A", "S"), id="identity"),
        pytest.param(np.diag([-2.0, 1.0, 3.0, 1.0]), [2, 1, 3], ("L", "A", "S"), id="flipped, anisotropic"),
        pytest.param(
            [[0, 0, 2, 5], [-3, 0, 0, 5], [0, -4, 0, 5], [0, 0, 0, 1]], [3, 4, 2], ("P", "I", "R"), id="sagittal"
        ),
        pytest.param(
            [[0.8, -0.6, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], [1, 1, 1], ("R", "A", "S"), id="oblique"
        ),
    ],
)
def test_spacing_and_directions_follow_from_the_affine(affine, spacing, axcodes):
    grid = Grid((8, 9, 10), affine)
    np.testing.assert_allclose(grid.spacing, spacing)
    assert grid.axcodes == axcodes


@pytest.mark.parametrize(
    ("shape", "affine", "message"),
    [
        pytest.param((8, 8), np.eye(4), "three axes", id="two axes"),
        pytest.param((8, 8, 0), np.eye(4), "three axes", id="no voxels"),
        pytest.param((8, 8, 8), np.eye(3), "4 x 4", id="3 x 3"),
        pytest.param((8, 8, 8), np.full((4, 4), np.nan), "NaN", id="NaN"),
        pytest.param((8, 8, 8), np.ones((4, 4)), "last row", id="last row"),
        pytest.param((8, 8, 8), np.diag([1.0, 1.0, 0.0, 1.0]), "singular", id="no thickness"),
        pytest.param(
            (8, 8, 8), [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "singular", id="two axes alike"
        ),
    ],
)
def test_a_grid_that_is_none_is_refused(shape, affine, message):
    with pytest.raises(InputError, match=message):
        Grid(shape, affine)


@pytest.mark.parametrize("voxel_mm", [1e-3, 1.0, 1e3])
def test_the_size_of_the_voxels_does_not_make_an_affine_singular(voxel_mm):
    assert Grid((8, 8, 8), np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])).spacing.tolist() == [voxel_mm] * 3


def test_a_grid_keeps_its_own_read_only_affine():
    affine = np.eye(4)
    grid = Grid((8, 8, 8), affine)
    affine[0, 0] = 5
    assert grid.affine[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 5


def test_closeness_is_decided_at_the_farthest_corner():
    affine = np.eye(4)
    affine[1, 0] = 1e-4  # mm per voxel: 0.0255 mm at the far end of 256 voxels
    grid, tilted = Grid((256, 8, 8), np.eye(4)), Grid((256, 8, 8), affine)
    assert grid.is_close(grid)
    assert not grid.is_close(tilted, tolerance_mm=0.02)
    assert grid.is_close(tilted, tolerance_mm=0.03)
    assert not grid.is_close(Grid((255, 8, 8), np.eye(4)))
