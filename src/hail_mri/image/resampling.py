"""Look up a volume on another grid, by linear interpolation.

Between grids whose axes are parallel, linear interpolation separates into three small matrices, one an axis, and a
matrix product is the quickest way there is. Between other grids every voxel is looked up on its own.

What happens at the border is the same both ways, and the same as in SimpleITK: a voxel reaches half a spacing beyond
its centre, there its value holds, and further out is background, 0.

References
----------
Cardoso, Modat, Vercauteren, Ourselin: Scale factor point spread function matching. MICCAI 2015.
"""

import numpy as np
from numpy.typing import NDArray

from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume

# Entries of the voxel-to-voxel matrix below this are rounding: over 256 voxels they come to a hundredth of a voxel.
LARGEST_ROUNDING = 4e-5
# A grid is coarser when its voxels are larger by more than this factor.
COARSER = 1.01
# Width of the Gaussian kernel in standard deviations, each side.
KERNEL_REACH = 4.0


def resample(volume: Volume, grid: Grid, *, order: int = 1) -> Volume:
    """Look up a volume at the voxels of another grid.

    Parameters
    ----------
    volume : Volume
        Any grid, also oblique.
    grid : Grid
        Where to look, any grid.
    order : {0, 1}
        1 for intensities: linear, after a Gaussian along every axis on which the new grid is coarser, so that
        fine detail does not turn into false coarse detail. 0 for labels: the nearest voxel, no Gaussian.

    Returns
    -------
    Volume
        On `grid`, in the units of `volume`; 0 outside its field of view. Header and warnings go along.

    Notes
    -----
    Does not undo itself: every interpolation blurs. Carry back changes, not images.

    Examples
    --------
    >>> ramp = Volume(np.arange(8.0).reshape(8, 1, 1) * np.ones((8, 8, 8)), np.eye(4))
    >>> finer = resample(ramp, Grid((3, 1, 1), np.diag([0.5, 1.0, 1.0, 1.0])))
    >>> finer.data.ravel().tolist()
    [0.0, 0.5, 1.0]
    """
    if order not in (0, 1):
        raise ValueError(f"order is 0 (nearest) or 1 (linear), not {order}")
    step = np.linalg.inv(volume.affine) @ grid.affine  # (i, j, k) of grid -> (i, j, k) of volume
    if order == 1 and _is_parallel(step[:3, :3]):
        data = _resample_separably(volume, grid, step)
    else:
        data = _resample_anywhere(volume, grid, step, order)
    return Volume(data, grid.affine, volume.header, volume.warnings)


def axis_weights(
    n_to: int, n_from: int, spacing_to: float, spacing_from: float, offset: float, *, hold_border: bool = False
) -> NDArray[np.float32]:
    """Make the matrix that resamples one axis linearly between two parallel grids.

    Parameters
    ----------
    n_to, n_from : int
        Number of voxels along the axis on the new and the old grid.
    spacing_to, spacing_from : float
        Distance between voxel centres in mm; `spacing_to` is negative when the new axis runs the other way.
    offset : float
        Place of the first new voxel's centre in mm, from the first old voxel's centre along the old axis.
    hold_border : bool
        Let the first and last old voxel hold for ever, rather than for half a spacing with 0 beyond. For fields
        (coefficients of a map), which do not end where the image does.

    Returns
    -------
    (n_to, n_from) ndarray of float32
        ``weights @ column`` resamples. Rows add up to 1, or 0 outside the field of view. When the new axis is
        coarser, a Gaussian against false detail is part of the weights.

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
    if not hold_border:
        weights[_is_outside(place, n_from)] = 0
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


def _is_parallel(step: NDArray[np.float64]) -> bool:
    """Tell whether every axis of one grid runs along an axis of the other."""
    largest = np.abs(step).max(axis=0)
    is_large = np.abs(step) > LARGEST_ROUNDING * largest
    return bool((is_large.sum(axis=0) == 1).all() and (is_large.sum(axis=1) == 1).all())


def _resample_separably(volume: Volume, grid: Grid, step: NDArray[np.float64]) -> NDArray[np.float32]:
    """Resample between parallel grids, the axis that shrinks most first."""
    axis_from = np.abs(step[:3, :3]).argmax(axis=0)  # the volume's axis along which each of the grid's axes runs
    data = volume.data.transpose(axis_from)
    factors = step[axis_from, (0, 1, 2)]
    for axis in np.argsort([n_to / n_from for n_to, n_from in zip(grid.shape, data.shape, strict=True)]):
        n_to, n_from = grid.shape[axis], data.shape[axis]
        weights = axis_weights(n_to, n_from, factors[axis], 1.0, step[axis_from[axis], 3])
        if n_to != n_from or not np.array_equal(weights, np.eye(n_from)):
            data = _along(data, weights, axis)
    return data


def _resample_anywhere(volume: Volume, grid: Grid, step: NDArray[np.float64], order: int) -> NDArray[np.float32]:
    """Resample between any two grids, voxel by voxel."""
    from scipy.ndimage import affine_transform

    data = volume.data
    # The size of a new voxel along each old axis, in old voxels.
    for axis, factor in enumerate(np.sqrt((step[:3, :3] ** 2).sum(axis=1))):
        if order > 0 and factor > COARSER:
            data = _along(data, _gaussian_weights(data.shape[axis], _smoothing_sigma(factor)), axis)
    resampled: NDArray[np.float32] = affine_transform(
        data, step[:3, :3], step[:3, 3], grid.shape, order=order, mode="nearest", output=np.float32
    )
    _clear_outside(resampled, step, volume.shape)
    return resampled


def _along(data: NDArray[np.float32], weights: NDArray[np.floating], axis: int) -> NDArray[np.float32]:
    """Apply a matrix along one axis."""
    return np.moveaxis(np.tensordot(weights.astype(np.float32), data, axes=(1, axis)), 0, axis)


def _clear_outside(resampled: NDArray[np.float32], step: NDArray[np.float64], shape: tuple[int, int, int]) -> None:
    """Set what lies outside the old field of view to 0, in place; slice by slice to save memory."""
    _, n_j, n_k = resampled.shape
    j, k = np.arange(n_j)[:, None], np.arange(n_k)[None, :]
    for i, plane in enumerate(resampled):
        for axis, n_from in enumerate(shape):
            place = step[axis, 0] * i + step[axis, 1] * j + step[axis, 2] * k + step[axis, 3]
            plane[_is_outside(place, n_from)] = 0


def _is_outside(place: NDArray[np.floating], n_from: int) -> NDArray[np.bool_]:
    """Tell which places, in voxels, are more than half a voxel beyond the first and the last centre."""
    slack = 1e-6  # headers hold float32 numbers: the border itself is inside
    return (place < -0.5 - slack) | (place > n_from - 0.5 + slack)


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
