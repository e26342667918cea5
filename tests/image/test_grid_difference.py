import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hail_mri.image.grid import Grid
from hail_mri.image.grid_difference import grid_difference

SHAPE = (64, 80, 40)
AFFINE = np.array([[3.0, 0, 0, -90], [0, 3, 0, -120], [0, 0, 4, -60], [0, 0, 0, 1]])
MIDDLE = (np.array(SHAPE) - 1) / 2


def moved(*millimetres):
    affine = AFFINE.copy()
    affine[:3, 3] += millimetres
    return Grid(SHAPE, affine)


def turned(*degrees, about_origin=True):
    affine = AFFINE.copy()
    affine[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() @ affine[:3, :3]
    if not about_origin:
        affine[:3, 3] += (AFFINE[:3, :3] - affine[:3, :3]) @ MIDDLE
    return Grid(SHAPE, affine)


def with_steps(*steps, shape=SHAPE):
    return Grid(shape, [*np.hstack([np.array(steps).T, AFFINE[:3, 3:]]), [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("grid", "expected"),
    [
        pytest.param(moved(0, 0, 0), "", id="the same"),
        pytest.param(moved(0, 0.05, 0), "", id="within tolerance"),
        pytest.param(moved(0.3, 0, 0), "its origin is 0.3 mm away", id="moved"),
        pytest.param(moved(30, -40, 0), "its origin is 50 mm away", id="moved far"),
        pytest.param(turned(0, 0, 3), "it is rotated by 3 degrees", id="turned about the first voxel"),
        pytest.param(
            turned(0, 0, 3, about_origin=False),
            "it is rotated by 3 degrees; its origin is 7.94 mm away",
            id="turned about its middle",
        ),
        pytest.param(turned(0, 0, 0.1), "it is rotated by 0.1 degrees", id="turned by little"),
        pytest.param(
            Grid((64, 80, 20), AFFINE), "its shape is 64 x 80 x 20, not 64 x 80 x 40", id="cropped at the end"
        ),
        pytest.param(
            with_steps([3, 0, 0], [0, 3, 0], [0, 0, 3.9]),
            "its spacing is 3 x 3 x 3.9 mm, not 3 x 3 x 4 mm",
            id="spacing",
        ),
        pytest.param(
            with_steps([3, 0, 0], [0, 3.004, 0], [0, 0, 4]),
            "its spacing is 3 x 3.004 x 4 mm, not 3 x 3 x 4 mm",
            id="spacing in the fourth digit",
        ),
        pytest.param(with_steps([-3, 0, 0], [0, 3, 0], [0, 0, 4]), "its axes are L, A, S, not R, A, S", id="flipped"),
        pytest.param(
            with_steps([0, 3, 0], [0, 0, 4], [3, 0, 0], shape=(80, 40, 64)),
            "its shape is 80 x 40 x 64, not 64 x 80 x 40; its spacing is 3 x 4 x 3 mm, not 3 x 3 x 4 mm; "
            "its axes are A, S, R, not R, A, S",
            id="axes in another order",
        ),
        pytest.param(turned(0, 0, 0.0095), "", id="turned by next to nothing"),
    ],
)
def test_what_differs_is_said_and_nothing_else(grid, expected):
    assert grid_difference(grid, Grid(SHAPE, AFFINE), tolerance_mm=0.1) == expected


def test_an_oblique_grid_turned_across_a_diagonal_is_rotated_and_not_flipped():
    below, above = turned(0, 0, 44), turned(0, 0, 46)

    assert below.axcodes != above.axcodes
    assert grid_difference(below, above, tolerance_mm=0.1) == "it is rotated by 2 degrees"


def test_grids_that_are_not_close_are_never_said_to_be_the_same():
    grid = Grid(SHAPE, AFFINE)
    for other in (moved(0.03, 0.03, 0.03), turned(0, 0, 0.009), turned(0.005, 0.005, 0.005)):
        assert grid_difference(other, grid, tolerance_mm=0.02) != ""
