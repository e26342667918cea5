"""The network grid of a scan, parallel to its axes, coarse and isotropic, around the head; and the way there."""

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid
from hail_mri.image.resampling import area_weights, axis_weights

FloatArray = NDArray[np.float32]
AxisMatrices = tuple[FloatArray, FloatArray, FloatArray]

MARGIN_VOXELS = 1  # of the network grid, on each side of the head
LARGEST_HEAD = 1000.0  # mm; beyond it the voxel size is wrong, and the network grid would fill the memory


def grid_around(native: Grid, occupied: NDArray[np.bool_], spacing: float, stride: int) -> Grid:
    """Return the coarse isotropic grid around the occupied voxels, parallel to the native one."""
    sizes, middles = [], []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        indices = np.flatnonzero(occupied.any(axis=others))
        extent = (indices[-1] - indices[0] + 1) * native.spacing[axis]
        if extent > LARGEST_HEAD:
            raise InputError(
                f"the head is {extent:g} mm across, with voxels of {native.spacing.round(3).tolist()} mm",
                hint="correct the voxel size in the header, it is in mm",
            )
        sizes.append(int(-(-(extent / spacing + 2 * MARGIN_VOXELS) // stride) * stride))
        middles.append((indices[0] + indices[-1]) / 2)
    steps = native.affine[:3, :3] * (spacing / native.spacing)
    affine = np.eye(4)
    affine[:3, :3] = steps
    affine[:3, 3] = native.affine[:3, :3] @ middles + native.affine[:3, 3] - steps @ ((np.array(sizes) - 1) / 2)
    return Grid((sizes[0], sizes[1], sizes[2]), affine)


def matrices_between(native: Grid, network: Grid) -> tuple[AxisMatrices, AxisMatrices]:
    """Return the matrices from native voxels to those of the network grid (means) and back (linear interpolation)."""
    origin = np.linalg.solve(native.affine, network.affine[:, 3])[:3] * native.spacing  # mm along the native axes
    to_network, to_native = [], []
    for axis in range(3):
        n_native, n_network = native.shape[axis], network.shape[axis]
        fine, coarse, offset = float(native.spacing[axis]), float(network.spacing[axis]), float(origin[axis])
        to_network.append(area_weights(n_network, n_native, coarse, fine, offset))
        to_native.append(axis_weights(n_native, n_network, fine, coarse, -offset))
    return (to_network[0], to_network[1], to_network[2]), (to_native[0], to_native[1], to_native[2])


def row_sums(matrices: AxisMatrices) -> AxisMatrices:
    """Return each matrix's row sums as a column, (n_to, 1)."""
    i, j, k = (matrix.sum(axis=1, keepdims=True) for matrix in matrices)
    return i, j, k
