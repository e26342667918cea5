"""What appears in the air around a head that its source does not have.

Terms
-----
background
    The voxels outside the head: air, with the noise floor and ghosts of the source, or erased to one value.
level
    Mean magnitude of a scan in the background, in percent of its mean magnitude in the head; so it has no unit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.evaluation.paired_arrays import mask_on_grid, on_one_grid

TOLERANCE = 1.0  # percent of the mean of the head; below what a picture of the head shows


@dataclass(frozen=True)
class BackgroundLeak:
    """Hold what a result has in the background.

    Attributes
    ----------
    share : float or None
        Of the background's voxels that are brighter than all of the source's background (by more than 1 % of the head's
        mean), in percent, 0 to 100.
    excess : float or None
        Level of the result less level of the source, in percent of the head's mean; below 0 where the result is darker.
    reason : str
        Why both are undefined; empty where they are not.
    """

    share: float | None
    excess: float | None
    reason: str = ""


def background_leak(source: ArrayLike, result: ArrayLike, head: ArrayLike) -> BackgroundLeak:
    """Measure how much of the result's intensity appears where the source has background.

    Parameters
    ----------
    source, result : (...) array-like
        One grid, each in its own unit, with air at 0.
    head : (...) bool array-like
        True in the head, such as `head_mask` finds it in the source; all else is background.

    Returns
    -------
    BackgroundLeak
        Undefined where there is no background, or the head is 0 in one of both.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or there is no head.

    Notes
    -----
    A scan whose air is not at 0 (an offset, a marker such as -32768) has to be brought there first.

    Examples
    --------
    >>> head = [True, True, False, False]
    >>> background_leak([100.0, 300.0, 0.0, 2.0], [10.0, 30.0, 4.0, 0.2], head)
    BackgroundLeak(share=50.0, excess=10.0, reason='')
    """
    scans = on_one_grid(source, result)
    inside = mask_on_grid(head, scans[0].shape, "head mask")
    if inside.all():
        return BackgroundLeak(None, None, "there is no background")
    air = []
    for name, scan in zip(("source", "result"), scans, strict=True):
        mean = float(np.mean(np.abs(scan[inside], dtype=np.float64)))
        if mean == 0:
            return BackgroundLeak(None, None, f"the head is 0 everywhere in the {name}")
        air.append(100 * np.abs(scan[~inside], dtype=np.float64) / mean)
    return _leak(*air)


def _leak(of_source: NDArray[np.float64], of_result: NDArray[np.float64]) -> BackgroundLeak:
    """Compare both backgrounds, in percent of the head's mean."""
    share = 100 * float(np.mean(of_result > of_source.max() + TOLERANCE))
    return BackgroundLeak(share, float(of_result.mean() - of_source.mean()))
