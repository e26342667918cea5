"""How far a scan is from the truth.

Terms
-----
test, truth
    Two arrays on one grid and in one unit: a result, and the same subject really scanned at the target's site.
data_range
    The difference of intensities that counts as everything, in the unit of the arrays; PSNR and SSIM mean nothing
    without it. Take it from the truth, and keep it for all methods compared.
mask
    True where to look. The numbers of two masks cannot be compared: air is easy.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.paired_arrays import mask_on_grid, on_one_grid, volumes_on_one_grid
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


def mae(test: ArrayLike, truth: ArrayLike, *, mask: ArrayLike | None = None) -> float:
    """Average the absolute error (MAE).

    Parameters
    ----------
    test, truth : (...) array-like
        One shape, one unit.
    mask : (...) bool array-like, optional
        Where to look; everywhere without it.

    Returns
    -------
    float
        In the unit of the arrays, from 0.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, there are no voxels, or the mask is empty.

    Examples
    --------
    >>> mae([1.0, 5.0], [2.0, 2.0])
    2.0
    """
    return float(np.mean(np.abs(_difference(test, truth, mask))))


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
    test, truth = volumes_on_one_grid(test, truth)
    where = where_window_fits(test.shape) if mask is None else mask_on_grid(mask, test.shape)
    return mean_ssim(test, truth, where, data_range=data_range)


def _check_range(data_range: float) -> None:
    """Refuse a range that cannot be one."""
    if not (np.isfinite(data_range) and data_range > 0):
        raise InputError(
            f"data_range must be positive, not {data_range}", hint="take it from the truth, such as a high percentile"
        )


def _difference(test: ArrayLike, truth: ArrayLike, mask: ArrayLike | None) -> NDArray[np.float64]:
    """Subtract inside the mask, in double precision."""
    test, truth = on_one_grid(test, truth)
    if mask is not None:
        inside = mask_on_grid(mask, test.shape)
        test, truth = test[inside], truth[inside]
    return test.astype(np.float64) - truth
