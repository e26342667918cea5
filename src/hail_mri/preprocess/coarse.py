"""Coarse copies of a scan, parallel to it, on which a head mask, a bias field or a position is estimated."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hail_mri.image.grid import Grid
from hail_mri.image.resampling import axis_weights
from hail_mri.image.separable import along_axes
from hail_mri.image.volume import Volume

FloatArray = NDArray[np.float32]


def coarse_grid(grid: Grid, spacing: float) -> Grid:
    """Return the grid of blocks of about a spacing that together fill the field of view.

    Parameters
    ----------
    grid : Grid
    spacing : float
        mm. Axes that are as coarse already stay as they are.

    Examples
    --------
    >>> coarse_grid(Grid((10, 8, 3), np.diag([1.0, 1.0, 5.0, 1.0])), 4.0).affine.diagonal().tolist()
    [5.0, 4.0, 5.0, 1.0]
    """
    counts = [max(1, min(n, round(n * s / spacing))) for n, s in zip(grid.shape, grid.spacing.tolist(), strict=True)]
    factors = np.array(grid.shape) / counts
    affine = grid.affine.copy()
    affine[:3, :3] *= factors
    affine[:3, 3] += grid.affine[:3, :3] @ ((factors - 1) / 2)
    return Grid((counts[0], counts[1], counts[2]), affine)


def block_means(data: NDArray[Any], shape: tuple[int, int, int]) -> FloatArray:
    """Average over blocks.

    Parameters
    ----------
    data : (I, J, K) array of float32 or bool
    shape : (i, j, k)
        How many blocks along each axis, as many as there are voxels at most.

    Returns
    -------
    means : (i, j, k) ndarray of float32
    """
    weights = [_block_weights(n_to, n_from) for n_to, n_from in zip(shape, data.shape, strict=True)]
    return along_axes(data.astype(np.float32, copy=False), weights)


def coarse_volume(volume: Volume, spacing: float) -> Volume:
    """Return a scan averaged over blocks of about a spacing in mm, where it is."""
    grid = coarse_grid(volume.grid, spacing)
    return Volume(block_means(volume.data, grid.shape), grid.affine)


def interpolated_blocks(coarse: FloatArray, shape: tuple[int, int, int]) -> FloatArray:
    """Interpolate linearly between the middles of blocks; beyond the outermost ones, their values hold.

    Parameters
    ----------
    coarse : (i, j, k) ndarray of float32
    shape : (I, J, K)
        Of the volume whose blocks they are.
    """
    weights = []
    for n_to, n_from in zip(shape, coarse.shape, strict=True):
        step = n_from / n_to  # in blocks; both grids reach from edge to edge
        weights.append(axis_weights(n_to, n_from, step, 1.0, (step - 1) / 2))
    return along_axes(coarse, weights)


def every_so_many(grid: Grid, spacing: float) -> tuple[slice, slice, slice]:
    """Return which voxels of each axis are about a spacing apart, as slices.

    Parameters
    ----------
    grid : Grid
    spacing : float
        mm.

    Examples
    --------
    >>> every_so_many(Grid((10, 8, 3), np.diag([1.0, 2.0, 5.0, 1.0])), 4.0)
    (slice(1, None, 4), slice(0, None, 2), slice(0, None, 1))
    """
    steps = [max(1, round(spacing / s)) for s in grid.spacing.tolist()]
    i, j, k = (slice(min((step - 1) // 2, n - 1), None, step) for step, n in zip(steps, grid.shape, strict=True))
    return i, j, k


def interpolated_samples(
    samples: FloatArray, taken: tuple[slice, slice, slice], shape: tuple[int, int, int]
) -> FloatArray:
    """Interpolate linearly between voxels that were taken; beyond the outermost ones, their values hold.

    Parameters
    ----------
    samples : (i, j, k) ndarray of float32
    taken : three slices
        See `every_so_many`.
    shape : (I, J, K)
        Of the volume they were taken from.
    """
    weights = [
        axis_weights(n_to, n_from, 1.0, float(where.step), -float(where.start))
        for n_to, n_from, where in zip(shape, samples.shape, taken, strict=True)
    ]
    return along_axes(samples, weights)


def _block_weights(n_to: int, n_from: int) -> FloatArray:
    """Make the matrix of means over n_to equal blocks of an axis; a voxel across a border counts in both."""
    edges = np.linspace(0, n_from, n_to + 1)
    voxels = np.arange(n_from)
    overlaps = np.minimum(edges[1:, None], voxels + 1) - np.maximum(edges[:-1, None], voxels)
    return (np.clip(overlaps, 0, None) * n_to / n_from).astype(np.float32)
