"""How far a result is a locally monotone map of its source.

A harmonization that changes contrast only lets each small region's order of intensities stand: there, the result is
some non-decreasing curve of the source, another one in the next region. What such curves cannot explain is invented,
lost, or turned over.

References
----------
Robertson, Wright, Dykstra: Order Restricted Statistical Inference. Wiley 1988, chapter 1 (isotonic regression).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.paired_arrays import mask_on_grid, volumes_on_one_grid

BLOCK = 8  # voxels; small enough for one curve, large enough for several tissues


def monotonicity(
    source: ArrayLike, result: ArrayLike, *, mask: ArrayLike | None = None, block: int = BLOCK
) -> Measurement:
    """Measure which share of the result's local variance a non-decreasing curve of the source explains.

    Parameters
    ----------
    source, result : (I, J, K) array-like
        One grid, each in any unit.
    mask : (I, J, K) bool array-like, optional
        Where to look; everywhere without it.
    block : int
        Edge of the cubes that have a curve each, in voxels; they are laid from the first voxel on.

    Returns
    -------
    Measurement
        ``1 - sum of squared residuals / sum of squared deviations from the block's mean``, both over all blocks; 0 to
        1, which only a map that is non-decreasing in every block reaches. Undefined where the result is constant in
        every block.

    Raises
    ------
    InputError
        If shapes differ or are not three-dimensional, a value is not finite, the mask is empty or of another shape, or
        the block has fewer than two voxels.

    Notes
    -----
    The curve is the isotonic regression of the result on the source; voxels of one intensity in the source get one in
    the curve. It sees no smoothing that keeps the order, and is not symmetric: the source is what is given.

    Even a result that has nothing to do with the source gets more than 0: a curve is fitted to each block. With 512
    voxels to a block chance gives about 0.01, with 64 (`block` = 4) about 0.06.

    Examples
    --------
    >>> source = np.arange(27.0).reshape(3, 3, 3)
    >>> monotonicity(source, np.sqrt(source)).value, monotonicity(source, -source).value
    (1.0, 0.0)
    """
    if block < 2:
        raise InputError(f"a block has {block} voxels along its edge, expected at least 2", hint=f"leave it at {BLOCK}")
    a, b = volumes_on_one_grid(source, result)
    inside = mask_on_grid(mask, a.shape)
    residual = total = 0.0
    for values, mapped in _blocks(a, b, inside, block):
        deviation = mapped - mapped.mean()
        if np.abs(deviation).max() <= np.finfo(np.float32).eps * np.abs(mapped).max():
            continue  # constant, but for rounding
        total += float(deviation @ deviation)
        residual += _residual(values, deviation)
    if total == 0:
        return Measurement.undefined("the result is constant in every block")
    return Measurement(min(1.0, max(0.0, 1 - residual / total)))


def _blocks(
    a: NDArray[np.floating], b: NDArray[np.floating], inside: NDArray[np.bool_], block: int
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Sort the voxels of the mask by their block, and return source and result of each."""
    places = np.nonzero(inside)
    n_blocks = [-(-length // block) for length in a.shape]
    numbers = np.ravel_multi_index(tuple(place // block for place in places), n_blocks)
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order])) + 1
    values, mapped = (array[places][order].astype(np.float64) for array in (a, b))
    return list(zip(np.split(values, starts), np.split(mapped, starts), strict=True))


def _residual(values: NDArray[np.float64], mapped: NDArray[np.float64]) -> float:
    """Sum the squared distances from the isotonic regression of one block."""
    from scipy.optimize import isotonic_regression

    levels, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.bincount(places, weights=mapped) / counts
    curve = isotonic_regression(means, weights=counts).x if levels.size > 1 else means
    return float(np.sum(np.square(mapped - curve[places])))
