"""Whether bright voxels of a scan have lost their values: cut off at a largest one."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

BESIDE = 5  # values, the value itself among them, whose commonness is compared
MUCH_COMMONER = 3.0  # than the values beside it


def clipped_share(values: NDArray[np.floating], *, above: float) -> float:
    """
    Return the share of values that are cut off at a bright one.

    Parameters
    ----------
    values : (n,) ndarray
    above : float
        Only above it a value is bright.

    Returns
    -------
    share : float, 0 to 1
        By how many voxels a bright value exceeds three times the median of the values beside it, at most, over all
        values. Voxels that are brighter still, such as a few markers, do not hide it.

    Examples
    --------
    >>> clipped_share(np.array([1.0, 2, 3, 4, 5, 5, 5, 5, 5, 5, 9]), above=1.5).__round__(2)
    0.27
    """
    found, counts = np.unique(values[values > above], return_counts=True)
    if len(found) == 0:
        return 0.0
    usual = median_filter(counts, size=BESIDE, mode="constant")
    return max(0.0, float((counts - MUCH_COMMONER * np.maximum(usual, 1)).max())) / len(values)
