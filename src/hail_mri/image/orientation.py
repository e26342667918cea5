"""Turn the axes of a volume by flips and permutations only: no voxel value changes, not by a bit."""

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume

# How far an entry of the voxel-to-voxel matrix may be from -1, 0 or 1: headers hold float32 numbers.
LARGEST_ROUNDING = 1e-3


def to_canonical(volume: Volume) -> Volume:
    """Turn a volume so that its axes run as nearly as possible to the right, the front and the top (RAS+).

    Parameters
    ----------
    volume : Volume
        A scan of any orientation, also oblique.

    Returns
    -------
    Volume
        The same voxels at the same places in mm. An oblique scan stays oblique: nothing is interpolated.
        The header is that of the file still; `save_volume` brings its geometry up to date.

    See Also
    --------
    orient_like : the way back.
    """
    orientation = nib.orientations.io_orientation(volume.affine)
    affine = volume.affine @ nib.orientations.inv_ornt_aff(orientation, volume.shape)
    return Volume(_turned(volume.data, orientation), affine, volume.header, volume.warnings)


def orient_like(volume: Volume, grid: Grid) -> Volume:
    """Turn a volume onto a grid that holds the same voxels in another order.

    Parameters
    ----------
    volume : Volume
        For instance what `to_canonical` gave.
    grid : Grid
        For instance the grid of what `to_canonical` was given. It alone says how to turn: no history is kept.

    Returns
    -------
    Volume
        The same voxels in the order of `grid`, with exactly its affine.

    Raises
    ------
    InputError
        When flips and permutations do not lead from one grid to the other.
    """
    step = np.linalg.inv(volume.affine) @ grid.affine  # (i, j, k) of grid -> (i, j, k) of volume
    turn = np.rint(step[:3, :3])
    is_turn = np.array_equal(turn @ turn.T, np.eye(3)) and np.abs(step[:3, :3] - turn).max() < LARGEST_ROUNDING
    if not is_turn:
        raise InputError("the two grids are not related by flips and permutations of axes")
    # Row a of the turn says which axis of the grid the axis a of the volume becomes, and whether it is reversed.
    orientation = np.stack([np.abs(turn).argmax(axis=1), turn.sum(axis=1)], axis=1)
    affine = volume.affine @ nib.orientations.inv_ornt_aff(orientation, volume.shape)
    turned = Volume(_turned(volume.data, orientation), affine, volume.header, volume.warnings)
    if not turned.grid.is_close(grid, tolerance_mm=LARGEST_ROUNDING * float(grid.spacing.max()) * max(grid.shape)):
        raise InputError(f"the volume's {turned.shape} voxels are not those of the grid, {grid.shape}")
    return Volume(turned.data, grid.affine, volume.header, volume.warnings)


def _turned(data: NDArray[np.float32], orientation: NDArray[np.float64]) -> NDArray[np.float32]:
    """Flip and permute an array; contiguous, since torch takes no arrays that run backwards."""
    if np.array_equal(orientation, [[0, 1], [1, 1], [2, 1]]):
        return data
    turned: NDArray[np.float32] = np.ascontiguousarray(nib.orientations.apply_orientation(data, orientation))
    return turned
