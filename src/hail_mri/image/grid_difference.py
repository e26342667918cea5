"""What differs between two grids, in words: shape, axes, spacing, rotation, and where the first voxel is."""

import numpy as np

from hail_mri.image.grid import Grid

LARGEST_TILT = 30.0  # degrees; beyond it axes do not tilt, they point to another side
SMALLEST_TILT = 0.01  # degrees; 0.03 mm at the rim of a head
SPACING_TOLERANCE = 1e-4  # relative; 0.03 mm along a head


def grid_difference(grid: Grid, wanted: Grid, *, tolerance_mm: float) -> str:
    """
    Say what differs between a grid and the one it should be.

    Parameters
    ----------
    grid, wanted : Grid
    tolerance_mm : float
        Largest distance in mm between the places of the same voxel, see `Grid.is_close`.

    Returns
    -------
    str
        To be read after the name of a file and a colon; empty where the grids are close.

    Notes
    -----
    The rotation is the smallest one that takes the axes to the wanted ones, whatever it is about; so it is not told
    apart from a shear, which scans do not have.

    Examples
    --------
    >>> wanted = Grid((64, 64, 40), np.diag([3.0, 3.0, 4.0, 1.0]))
    >>> moved = Grid(wanted.shape, np.array([[3.0, 0, 0, 0.3], [0, 3, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]]))
    >>> grid_difference(moved, wanted, tolerance_mm=0.1)
    'its origin is 0.3 mm away'
    >>> grid_difference(Grid((64, 64, 20), np.diag([-3.0, 3.0, 4.0, 1.0])), wanted, tolerance_mm=0.1)
    'its shape is 64 x 64 x 20, not 64 x 64 x 40; its axes are L, A, S, not R, A, S'
    >>> grid_difference(wanted, wanted, tolerance_mm=0.1)
    ''
    """
    if grid.is_close(wanted, tolerance_mm=tolerance_mm):
        return ""
    found = []
    if grid.shape != wanted.shape:
        found.append(f"its shape is {_by(grid.shape)}, not {_by(wanted.shape)}")
    if not np.allclose(grid.spacing, wanted.spacing, rtol=SPACING_TOLERANCE, atol=0):
        here, there = _told_apart(grid.spacing, wanted.spacing)
        found.append(f"its spacing is {here} mm, not {there} mm")
    tilt = _tilt(grid, wanted)
    if grid.axcodes != wanted.axcodes and tilt > LARGEST_TILT:
        # Where axes point to other sides, the first voxel is at another corner: no news.
        return "; ".join([*found, f"its axes are {', '.join(grid.axcodes)}, not {', '.join(wanted.axcodes)}"])
    if tilt > SMALLEST_TILT:
        found.append(f"it is rotated by {tilt:.2g} degrees")
    distance = float(np.linalg.norm(grid.affine[:3, 3] - wanted.affine[:3, 3]))
    if distance > tolerance_mm:
        found.append(f"its origin is {distance:.3g} mm away")
    return "; ".join(found) or _at_the_farthest_corner(grid, wanted)


def _tilt(grid: Grid, wanted: Grid) -> float:
    """Return the angle between the axes of two grids, in degrees."""
    axes, other = (g.affine[:3, :3] / g.spacing for g in (grid, wanted))
    # The Frobenius norm of R - 1 is the square root of 8 times the sine of half the angle of R, and exact near 0.
    chord = float(np.linalg.norm(axes @ np.linalg.inv(other) - np.eye(3)))
    return float(np.degrees(2 * np.arcsin(min(1.0, chord / np.sqrt(8)))))


def _at_the_farthest_corner(grid: Grid, wanted: Grid) -> str:
    """Say how far voxels are apart where neither spacing, axes nor origin alone tell."""
    distance = np.linalg.norm(grid.corners() - wanted.corners(), axis=1).max()
    return f"its voxels are up to {distance:.3g} mm away"


def _told_apart(values: np.ndarray, other: np.ndarray) -> tuple[str, str]:
    """Write spacings with as many digits as it takes to see that they differ."""
    for n_digits in (3, 4, 5, 6):
        texts = tuple(" x ".join(f"{value:.{n_digits}g}" for value in row) for row in (values, other))
        if texts[0] != texts[1]:
            break
    return texts[0], texts[1]


def _by(shape: tuple[int, ...]) -> str:
    """Write a shape as in '256 x 256 x 160'."""
    return " x ".join(str(n) for n in shape)
