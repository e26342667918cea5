"""The matrices that carry an axis from one grid to a parallel one; see `separable` for their use.

Between grids whose axes are parallel, linear interpolation and means over voxels separate into one small matrix an
axis, and a matrix product is the quickest way there is.

References
----------
Cardoso, Modat, Vercauteren, Ourselin: Scale factor point spread function matching. MICCAI 2015.
"""

import numpy as np
from numpy.typing import NDArray

from hail_mri.image.separable import KERNEL_REACH

COARSER = 1.01  # a grid is coarser when its voxels are larger by more than this factor


def axis_weights(n_to: int, n_from: int, spacing_to: float, spacing_from: float, offset: float) -> NDArray[np.float32]:
    """Make the matrix that resamples one axis linearly between two parallel grids.

    Parameters
    ----------
    n_to, n_from : int
        Number of voxels along the axis on the new and the old grid.
    spacing_to, spacing_from : float
        Distance between voxel centres in mm; `spacing_to` is negative when the new axis runs the other way.
    offset : float
        Place of the first new voxel's centre in mm, from the first old voxel's centre along the old axis.

    Returns
    -------
    (n_to, n_from) ndarray of float32
        ``weights @ column`` resamples. Rows add up to 1: beyond the first and the last old voxel their values hold.
        When the new axis is coarser, a Gaussian against false detail is part of the weights.

    Examples
    --------
    >>> axis_weights(3, 2, 0.5, 1.0, 0.0).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    place = (offset + spacing_to * np.arange(n_to)) / spacing_from
    inside = np.clip(place, 0, n_from - 1)
    left = np.minimum(inside.astype(np.intp), max(n_from - 2, 0))
    right = np.minimum(left + 1, n_from - 1)
    weights = np.zeros((n_to, n_from))
    rows = np.arange(n_to)
    np.add.at(weights, (rows, left), 1 - (inside - left))
    np.add.at(weights, (rows, right), inside - left)
    factor = abs(spacing_to / spacing_from)
    if factor > COARSER:
        weights = weights @ _gaussian_weights(n_from, _smoothing_sigma(factor))
    return weights.astype(np.float32)


def area_weights(n_to: int, n_from: int, spacing_to: float, spacing_from: float, offset: float) -> NDArray[np.float32]:
    """Make the matrix of means over the voxels of a coarser, parallel grid.

    Parameters
    ----------
    n_to, n_from : int
        Number of voxels along the axis on the new and the old grid.
    spacing_to, spacing_from : float
        Distance between voxel centres in mm.
    offset : float
        Place of the first new voxel's centre in mm, from the first old voxel's centre.

    Returns
    -------
    (n_to, n_from) ndarray of float32
        ``weights @ column`` averages: each old voxel counts with the share of the new one it covers. Beyond the old
        field of view is background, 0, so that rows there add up to less than 1.

    Examples
    --------
    >>> area_weights(2, 4, 2.0, 1.0, 0.5).tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    edges_to = offset + spacing_to * (np.arange(n_to + 1) - 0.5)
    edges_from = spacing_from * (np.arange(n_from + 1) - 0.5)
    ends = np.minimum(edges_to[1:, None], edges_from[1:])
    starts = np.maximum(edges_to[:-1, None], edges_from[:-1])
    return (np.clip(ends - starts, 0, None) / spacing_to).astype(np.float32)


def smoothing_weights(n: int, factor: float) -> NDArray[np.float32] | None:
    """Make the matrix that smooths an axis before a coarser grid reads it, border voxels held.

    Parameters
    ----------
    n : int
        Voxels along the axis.
    factor : float
        How many of them are as long as a voxel of the grid to come.

    Returns
    -------
    (n, n) ndarray of float32, or None
        None if the grid to come is no coarser.
    """
    if factor <= COARSER:
        return None
    return _gaussian_weights(n, _smoothing_sigma(factor)).astype(np.float32)


def _smoothing_sigma(factor: float) -> float:
    """Find the standard deviation, in old voxels, that makes an old voxel as wide as a new one (Cardoso et al.)."""
    # Widths add in squares; 2 sqrt(2 ln 2) is the full width at half maximum of a Gaussian of standard deviation 1.
    return float(np.sqrt((factor**2 - 1) / (8 * np.log(2))))


def _gaussian_weights(n: int, sigma: float) -> NDArray[np.float64]:
    """Matrix (n, n) that smooths one axis of n voxels with a Gaussian, the border voxels held."""
    reach = int(np.ceil(KERNEL_REACH * sigma))
    taps = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (taps / sigma) ** 2)
    columns = np.clip(np.arange(n)[:, None] + taps, 0, n - 1)
    weights = np.zeros((n, n))
    np.add.at(weights, (np.arange(n)[:, None], columns), kernel / kernel.sum())
    return weights
