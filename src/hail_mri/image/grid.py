"""The grid: where the voxels of a volume are, and nothing of what is in them.

Terms
-----
(i, j, k)
    Voxel indices, from 0; index 0 is the *centre* of the first voxel.
(x, y, z)
    Millimetres in scanner space, RAS+: x grows to the patient's right, y to the front, z to the top.
affine
    The (4, 4) matrix that takes (i, j, k, 1) to (x, y, z, 1), as in nibabel.
grid
    A shape and an affine. Two volumes can be compared voxel by voxel only on the same grid.
spacing
    Distance between neighbouring voxel centres along i, j and k, in mm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError

# Three axes with less volume than this, as a part of the box they would span if perpendicular, lie in one plane.
FLATTEST_CELL = 1e-4


@dataclass(frozen=True, eq=False)
class Grid:
    """Hold the shape and the affine of a volume.

    Parameters
    ----------
    shape : (I, J, K) sequence of int
        Number of voxels along each axis, each at least 1.
    affine : (4, 4) array-like of float
        Voxel indices to millimetres, RAS+. Kept as a read-only float64 copy.

    Raises
    ------
    InputError
        When the shape is not three positive numbers, or the affine is not an invertible affine matrix.

    Examples
    --------
    >>> grid = Grid((64, 64, 40), np.diag([-3.0, 3.0, 4.0, 1.0]))
    >>> grid.spacing.tolist(), grid.axcodes
    ([3.0, 3.0, 4.0], ('L', 'A', 'S'))
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _checked_shape(self.shape))
        object.__setattr__(self, "affine", _checked_affine(self.affine))

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Distance between voxel centres along each axis: (3,) float64, in mm."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    @property
    def axcodes(self) -> tuple[str, str, str]:
        """Direction each axis points to most, as in nibabel: ('R', 'A', 'S') when canonical."""
        first, second, third = nib.orientations.aff2axcodes(self.affine)
        return first, second, third

    def is_close(self, other: "Grid", *, tolerance_mm: float = 1e-3) -> bool:
        """Tell whether both grids have the same shape and every voxel at the same place.

        Parameters
        ----------
        other : Grid
            The grid to compare with.
        tolerance_mm : float
            Largest distance in mm between the places of the same voxel. The corners decide: between two affine grids
            the distance is largest at a corner.
        """
        if self.shape != other.shape:
            return False
        distance = self.corners() - other.corners()
        return bool(np.sqrt((distance**2).sum(axis=1)).max() <= tolerance_mm)

    def corners(self) -> NDArray[np.float64]:
        """Place of the eight corner voxels' centres: (8, 3) float64, (x, y, z) in mm."""
        indices = np.array(list(product(*((0, n - 1) for n in self.shape))), dtype=np.float64)
        return indices @ self.affine[:3, :3].T + self.affine[:3, 3]


def _checked_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    """Three positive integers as a tuple, or an error."""
    sizes = tuple(int(n) for n in shape)
    if len(sizes) != 3 or min(sizes) < 1:
        raise InputError(f"a grid has three axes of at least one voxel, not the shape {sizes}")
    return sizes[0], sizes[1], sizes[2]


def _checked_affine(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take a read-only float64 copy of an invertible affine, or raise."""
    matrix = np.array(affine, dtype=np.float64)
    if matrix.shape != (4, 4):
        raise InputError(f"an affine is a 4 x 4 matrix, not an array of shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise InputError("the affine has values that are not numbers (NaN or infinity)")
    if not np.allclose(matrix[3], (0, 0, 0, 1)):
        raise InputError(f"the last row of the affine must be 0 0 0 1, not {matrix[3].tolist()}")
    box = np.sqrt((matrix[:3, :3] ** 2).sum(axis=0)).prod()
    if box == 0 or abs(np.linalg.det(matrix[:3, :3])) < FLATTEST_CELL * box:
        raise InputError("the affine is singular: its voxels have no volume")
    matrix.flags.writeable = False
    return matrix
