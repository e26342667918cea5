"""How far a scan is from the truth, and how far its histogram has moved.

Terms
-----
test, truth
    Two arrays on one grid and in one unit: a result, and the same subject really scanned at the target's site.
data_range
    The difference of intensities that counts as everything, in the unit of the arrays; PSNR and SSIM mean nothing
    without it. Take it from the truth, and keep it for all methods compared.
mask
    True where to look. The numbers of two masks cannot be compared: air is easy.

References
----------
HAIL, the paper: equation 1.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.ssim_map import mean_ssim, where_window_fits


def psnr(test: ArrayLike, truth: ArrayLike, *, data_range: float, mask: ArrayLike | None = None) -> float:
    """Compare the mean squared error with the range of the data, in decibels.

    Parameters
    ----------
    test, truth : (...) array-like
        One shape, one unit.
    data_range : float
        See the module's terms.
    mask : (...) bool array-like, optional
        Where to look; everywhere without it.

    Returns
    -------
    float
        ``10 log10(data_range² / MSE)`` in dB; infinite for equal arrays.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, the mask is empty, or the range is not positive.

    Examples
    --------
    >>> psnr([0.0, 0.0], [10.0, 10.0], data_range=100.0)
    20.0
    """
    _check_range(data_range)
    mean_squared_error = float(np.mean(np.square(_difference(test, truth, mask))))
    if mean_squared_error == 0:
        return float("inf")
    return float(10 * np.log10(data_range**2 / mean_squared_error))


def ssim(test: ArrayLike, truth: ArrayLike, *, data_range: float, mask: ArrayLike | None = None) -> float:
    """Compare local means, contrasts and structures (SSIM) in three dimensions.

    Parameters
    ----------
    test, truth : (I, J, K) array-like
        One shape, one unit.
    data_range : float
        See the module's terms.
    mask : (I, J, K) bool array-like, optional
        The SSIM map is averaged over it; the windows of its voxels reach out of it. Without a mask the average is taken
        where the window lies wholly inside the arrays, so the outer five voxels do not count.

    Returns
    -------
    float
        At most 1, which only equal arrays reach.

    Raises
    ------
    InputError
        If shapes differ or are not three-dimensional, a value is not finite, the mask is empty, the range is not
        positive, or without a mask an axis has fewer than 11 voxels.

    Notes
    -----
    Gaussian window with a standard deviation of 1.5 voxels (whatever the spacing) and 11 taps, K1 = 0.01, K2 = 0.03,
    population covariances, arrays mirrored at their border. The same as scikit-image's `structural_similarity` with
    ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False``, and as MONAI's `SSIMMetric`.
    """
    _check_range(data_range)
    test, truth = _on_one_grid(test, truth)
    if test.ndim != 3:
        raise InputError(f"SSIM is for three-dimensional arrays, not for shape {test.shape}")
    where = where_window_fits(test.shape) if mask is None else _checked_mask(mask, test.shape)
    return mean_ssim(test, truth, where, data_range=data_range)


def nwd(source: ArrayLike, target: ArrayLike, harmonized: ArrayLike) -> tuple[float, float]:
    """Compute the paper's normalized Wasserstein distances, equation 1.

    Parameters
    ----------
    source, target, harmonized : array-like
        Intensities in one unit (in the paper: scaled to [0, 1]), any shapes; select those of a mask before.

    Returns
    -------
    nwd_ip, nwd_tp : float
        ``WD(source, harmonized) / WD(source, target)`` and ``WD(target, harmonized) / WD(source, target)`` in percent:
        near 100 and near 0 when the histogram has moved all the way. Both are nan when source and target have the same
        histogram up to the precision of float32: then there was nothing to move, and no share of it can be told.

    Raises
    ------
    InputError
        If one is empty or has a value that is not finite.

    Notes
    -----
    WD is the first Wasserstein distance, exact, by the area between the two quantile functions:
    `scipy.stats.wasserstein_distance`, but about ten times faster on the voxels of a head.

    A histogram says nothing of anatomy: exact histogram matching reaches 100 and 0 whatever it does to the tissues.

    Examples
    --------
    >>> nwd([0.0, 1.0], [10.0, 11.0], [9.0, 10.0])
    (90.0, 10.0)
    """
    i, t, p = _sorted_sample(source), _sorted_sample(target), _sorted_sample(harmonized)  # as named in equation 1
    whole_way = _distance_of_sorted(i, t)
    largest = max(abs(float(end)) for end in (i[0], i[-1], t[0], t[-1]))
    if whole_way <= np.finfo(np.float32).eps * largest:
        return float("nan"), float("nan")
    return 100 * _distance_of_sorted(i, p) / whole_way, 100 * _distance_of_sorted(t, p) / whole_way


def _check_range(data_range: float) -> None:
    """Refuse a range that cannot be one."""
    if not (np.isfinite(data_range) and data_range > 0):
        raise InputError(f"data_range must be positive, not {data_range}")


def _on_one_grid(test: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Take both as arrays of float, or raise when they cannot be compared."""
    arrays = tuple(
        a if np.issubdtype(a.dtype, np.floating) else a.astype(np.float64) for a in map(np.asarray, (test, truth))
    )
    if arrays[0].shape != arrays[1].shape:
        raise InputError(f"the shapes differ: {arrays[0].shape} and {arrays[1].shape}")
    if not all(np.isfinite(a).all() for a in arrays):
        raise InputError("there are values that are not finite (NaN or infinity)")
    return arrays[0], arrays[1]


def _checked_mask(mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Take a mask as an array of bool, or raise when it is empty or of another shape."""
    mask = np.asarray(mask, dtype=bool)
    if mask.shape != shape:
        raise InputError(f"the mask has the shape {mask.shape}, the arrays have {shape}")
    if not mask.any():
        raise InputError("the mask is empty")
    return mask


def _difference(test: ArrayLike, truth: ArrayLike, mask: ArrayLike | None) -> NDArray[np.float64]:
    """Subtract inside the mask, in double precision."""
    test, truth = _on_one_grid(test, truth)
    if test.size == 0:
        raise InputError("the arrays are empty")
    if mask is not None:
        mask = _checked_mask(mask, test.shape)
        test, truth = test[mask], truth[mask]
    return test.astype(np.float64) - truth


def _sorted_sample(values: ArrayLike) -> NDArray[np.floating]:
    """Sort intensities, or raise when there is none or one is not a number."""
    sample = np.sort(np.asarray(values), axis=None)
    if sample.size == 0:
        raise InputError("there are no intensities to compare")
    if not np.isfinite(sample[[0, -1]]).all():  # NaN is sorted to the end
        raise InputError("there are values that are not finite (NaN or infinity)")
    return sample


def _distance_of_sorted(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Integrate the distance of two quantile functions, which are constant between the multiples of 1/n and of 1/m."""
    n, m = a.size, b.size
    # In units of 1/(n m) all steps are whole numbers, so that nothing is lost to rounding.
    steps = np.concatenate([np.arange(1, n + 1) * m, np.arange(1, m + 1) * n])
    steps.sort(kind="stable")  # two sorted runs: this only merges them
    widths = np.diff(steps, prepend=0)
    distances = np.abs(a[(steps - 1) // m].astype(np.float64) - b[(steps - 1) // n])
    return float(distances @ widths) / (n * m)
