"""The single-curve oracle: how good one global intensity curve could be, if the truth were known.

Histogram matching, Nyúl's landmarks and every other method that maps each intensity to one other intensity is a single
curve. None can be closer to the truth, in squared error, than the mean of the truth given the source's intensity. The
oracle needs the truth, so it is a bound to measure methods against, and no method.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError

N_BINS = 2048  # of equal voxel counts; a head has millions of voxels, so the mean of each is sure


def best_single_curve(source: ArrayLike, truth: ArrayLike, mask: ArrayLike) -> NDArray[np.float32]:
    """Map the source by the best global intensity curve there is.

    Parameters
    ----------
    source : (I, J, K) array-like
        Intensities to map, in any unit.
    truth : (I, J, K) array-like
        What they should become, on the same grid, in the target's unit.
    mask : (I, J, K) bool array-like
        The voxels the curve is fitted on.

    Returns
    -------
    (I, J, K) float32 array
        The source through the curve, in the unit of the truth, outside the mask too: intensities beyond those inside
        get the value of the nearest one inside.

    Raises
    ------
    InputError
        If shapes differ or the mask is empty.

    Notes
    -----
    The curve is the conditional mean of the truth in 2048 bins of the source with equal voxel counts (fewer where many
    voxels have one value), linear between.

    Examples
    --------
    >>> source = np.array([[[0.0, 1.0, 1.0, 2.0]]])
    >>> best_single_curve(source, np.array([[[7.0, 3.0, 5.0, 1.0]]]), source >= 0).tolist()
    [[[7.0, 4.0, 4.0, 1.0]]]
    """
    source, truth, mask = np.asarray(source), np.asarray(truth), np.asarray(mask, dtype=bool)
    if not source.shape == truth.shape == mask.shape:
        raise InputError(f"the shapes differ: source {source.shape}, truth {truth.shape}, mask {mask.shape}")
    if not mask.any():
        raise InputError("the mask is empty")
    places, values = _conditional_means(source[mask], truth[mask])
    return np.interp(source, places, values).astype(np.float32)


def _conditional_means(
    x: NDArray[np.floating], y: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average x and y in bins of x with equal counts; equal x always share a bin."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, N_BINS + 1), method="lower"))
    bins = np.searchsorted(edges, x, side="right") - 1
    counts = np.bincount(bins)
    used = counts > 0
    counts = counts[used]
    x_means = np.bincount(bins, weights=x)[used] / counts
    y_means = np.bincount(bins, weights=y)[used] / counts
    return x_means, y_means
