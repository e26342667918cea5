"""Two searches through a whole scan: for structures that were lost, and for structures that appeared.

A harmonization may change contrast, and differently from place to place. Then result and source are local curves of
each other that never fall (`local_curves`), and each can be told from the other. A structure is

lost
    if the source shows it against its surroundings, and no such curve of the result gives half of that contrast back:
    it vanished or was turned over;
appeared
    if the result shows it, and no such curve of the source gives half of that contrast: lost the other way round.

What is not explained is averaged by a Gaussian of `SMOOTHING` mm, so that noise does not count, and is a structure
where that exceeds both noise and `LEAST_CONTRAST`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.evaluation.found_structures import FoundStructures, number_parts
from hail_mri.evaluation.local_curves import explained_by_local_curves
from hail_mri.evaluation.paired_arrays import mask_on_grid, volumes_on_one_grid

SMOOTHING = 1.5  # mm, standard deviation
LEAST_CONTRAST = 0.05  # of the range of the volume that shows the structure: from its 5th to its 95th percentile
LEAST_NOISE = 5.0  # standard deviations of the smoothed noise
LOBE, LOBE_REACH = 0.2, 20.0  # a structure draws the curves to it; what is left in its surroundings is below this share
RECOVERED = 0.5  # of the contrast; where a curve gives as much, the structure is not lost
EDGE, PEAK_REACH = 0.4, 6.0  # a structure ends where it falls to this share of the highest peak within so many mm:
# averaged balls of 2 to 9 mm radius have their surface where it is 0.38 to 0.45 of their peak
SURROUND = 4.0  # mm


def lost_structures(
    source: ArrayLike, result: ArrayLike, *, mask: ArrayLike | None = None, spacing: ArrayLike = (1.0, 1.0, 1.0)
) -> FoundStructures:
    """Find what the source shows and the result does not.

    Parameters
    ----------
    source, result : (I, J, K) array-like
        One grid, each in any unit.
    mask : (I, J, K) bool array-like, optional
        Where to look; everywhere without it.
    spacing : (3,) array-like of float
        Of the voxels, mm.

    Returns
    -------
    FoundStructures
        In the source's unit.

    Raises
    ------
    InputError
        If shapes differ or are not three-dimensional, a value is not finite, the mask is empty or of another shape, or
        the spacing is not three positive numbers.

    Notes
    -----
    Blind to what is smaller than about 3 mm, fainter than a twentieth of the range, or as large as a window of the
    local curves; to a structure that only became fainter; and to blurring that leaves it half of its contrast.

    Examples
    --------
    >>> source = np.random.default_rng(0).normal(100, 1, (32, 32, 32))
    >>> with_lesion = source.copy()
    >>> with_lesion[12:18, 12:18, 12:18] -= 40
    >>> lost_structures(with_lesion, source).n_structures, lost_structures(source, 2 * source).n_structures
    (1, 0)
    """
    a, b, inside, steps = _checked(source, result, mask, spacing)
    return _unexplained(a, b, inside, steps)


def appeared_structures(
    source: ArrayLike, result: ArrayLike, *, mask: ArrayLike | None = None, spacing: ArrayLike = (1.0, 1.0, 1.0)
) -> FoundStructures:
    """Find what the result shows and the source does not.

    Parameters
    ----------
    source, result, mask, spacing
        As for `lost_structures`.

    Returns
    -------
    FoundStructures
        In the result's unit.

    Raises
    ------
    InputError
        As `lost_structures`.

    Notes
    -----
    Blind as `lost_structures` is. What was turned over is found by both searches.

    Examples
    --------
    >>> source = np.random.default_rng(0).normal(100, 1, (32, 32, 32))
    >>> result = source.copy()
    >>> result[12:18, 12:18, 12:18] += 40
    >>> appeared_structures(source, result).n_structures
    1
    """
    a, b, inside, steps = _checked(source, result, mask, spacing)
    return _unexplained(b, a, inside, steps)


def _checked(
    source: ArrayLike, result: ArrayLike, mask: ArrayLike | None, spacing: ArrayLike
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.bool_], NDArray[np.float64]]:
    """Take the arguments of a search, or say what is wrong with them."""
    a, b = volumes_on_one_grid(source, result)
    steps = np.asarray(spacing, dtype=np.float64)
    if steps.shape != (3,) or not (np.isfinite(steps).all() and (steps > 0).all()):
        raise InputError(f"the spacing is {spacing!r}, expected three positive numbers", hint="give it in mm")
    return a, b, mask_on_grid(mask, a.shape), steps


def _unexplained(
    volume: NDArray[np.floating],
    given: NDArray[np.floating],
    inside: NDArray[np.bool_],
    spacing: NDArray[np.float64],
) -> FoundStructures:
    """Find the structures of a volume that no local curve of the other one gives back."""
    contrast = np.zeros(volume.shape, np.float32)
    box = tuple(slice(where.min(), where.max() + 1) for where in np.nonzero(inside))
    shown, here = volume[box].astype(np.float64), inside[box]
    explained, smooth, least = _compare(shown, given[box], here, spacing)
    found = np.zeros(shown.shape)
    for sign in (1, -1):
        threshold = np.maximum(least, EDGE * _highest(sign * smooth, PEAK_REACH, spacing))
        threshold = np.maximum(threshold, LOBE * _highest(-sign * smooth, LOBE_REACH, spacing))
        parts, n_parts = number_parts(here & (sign * smooth > threshold))
        for number, where in enumerate(ndimage.find_objects(parts, max_label=n_parts), start=1):
            around = _around(where, spacing)
            part = parts[around] == number
            ring = _ring(part, parts[around], here[around], spacing)
            if _is_shown(sign, shown[around], explained[around], part, ring, least):
                found[around][part] = smooth[around][part]
    contrast[box] = found
    return FoundStructures(contrast, (float(spacing[0]), float(spacing[1]), float(spacing[2])))


def _compare(
    shown: NDArray[np.float64],
    given: NDArray[np.floating],
    here: NDArray[np.bool_],
    spacing: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return what is explained, the average of what is not, and what that has to exceed; all 0 outside the mask."""
    explained = np.zeros(shown.shape)
    explained[here] = explained_by_local_curves(given, shown, here, spacing)
    rest = np.where(here, shown - explained, 0.0)
    smooth = np.where(here, ndimage.gaussian_filter(rest, SMOOTHING / spacing, mode="constant"), 0.0)
    return explained, smooth, _least_contrast(shown[here], rest, here, spacing)


def _highest(values: NDArray[np.float64], reach: float, spacing: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the highest value within a reach along each axis, mm."""
    return np.asarray(ndimage.maximum_filter(values, size=2 * np.rint(reach / spacing).astype(int) + 1))


def _least_contrast(
    shown: NDArray[np.float64], rest: NDArray[np.float64], here: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> float:
    """Return what a structure has to exceed: a share of the range, and the smoothed noise."""
    low, high = np.percentile(shown, (5, 95))
    # Second differences along an axis see noise and hardly any anatomy; of independent noise they have 6 variances.
    noise = np.inf
    for axis in range(3):
        inner = np.moveaxis(here, axis, 0)
        second = np.diff(np.moveaxis(rest, axis, 0), 2, axis=0)[inner[:-2] & inner[1:-1] & inner[2:]]
        if second.size:
            noise = min(noise, 1.4826 * float(np.median(np.abs(second))) / 6**0.5)
    impulse = np.zeros([2 * int(np.ceil(4 * SMOOTHING / step)) + 1 for step in spacing])
    impulse[tuple(n // 2 for n in impulse.shape)] = 1
    kernel = ndimage.gaussian_filter(impulse, SMOOTHING / spacing, mode="constant")
    smoothed = 0.0 if np.isinf(noise) else noise * float(np.sqrt(np.sum(kernel**2)))
    return max(LEAST_CONTRAST * float(high - low), LEAST_NOISE * smoothed)


def _around(where: tuple[slice, ...], spacing: NDArray[np.float64]) -> tuple[slice, ...]:
    """Widen a box by the surround."""
    margins = np.ceil(SURROUND / spacing).astype(int)
    return tuple(slice(max(0, s.start - m), s.stop + m) for s, m in zip(where, margins, strict=True))


def _ring(
    part: NDArray[np.bool_], parts: NDArray[np.int32], here: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the surround of a structure, without other structures."""
    near = ndimage.distance_transform_edt(~part, sampling=spacing) <= SURROUND
    return np.asarray(near & here & (parts == 0))


def _is_shown(
    sign: int,
    shown: NDArray[np.float64],
    explained: NDArray[np.float64],
    part: NDArray[np.bool_],
    ring: NDArray[np.bool_],
    least: float,
) -> bool:
    """Whether the volume shows a structure against its surround, and what is explained does not."""
    if not ring.any():
        return False
    contrast, recovered = (sign * float(np.median(v[part]) - np.median(v[ring])) for v in (shown, explained))
    return contrast > least and recovered < RECOVERED * contrast
