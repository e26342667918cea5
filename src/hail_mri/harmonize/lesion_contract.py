"""What a lesion may expect of a result: that it stands out as it did, and is as large as it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.image.marked_region import FEWEST_VOXELS, REACH, core_of, difference, found_region, near_and_around

BoolArray = NDArray[np.bool_]

# Contrast of a lesion in the source, in standard deviations of its surround: with less it is not to be seen, or, where
# the surround is of several tissues, its volume cannot be read from intensities.
VISIBLE, OUTLINED = 0.3, 1.0


def lesion_numbers(
    source: NDArray[np.float32],
    result: NDArray[np.float32],
    lesion: BoolArray,
    allowed: BoolArray,
    spacing: NDArray[np.float64],
) -> dict[str, float]:
    """Measure what became of a lesion.

    Parameters
    ----------
    source, result : (I, J, K) ndarray
        In any units.
    lesion : (I, J, K) bool ndarray
    allowed : (I, J, K) bool ndarray
        Where its surround may be: the brain, if it is known.
    spacing : (3,) ndarray
        mm.

    Returns
    -------
    dict of str to float
        `lesion contrast` and `lesion volume` of the result, over those of the source; the contrast below 0 where dark
        and bright changed places. Nothing of a lesion that the source hardly shows, or that has no surround.
    """
    margins = np.ceil(REACH / spacing).astype(int) + 1
    box = tuple(
        slice(max(0, where.min() - margin), where.max() + margin + 1)
        for where, margin in zip(np.nonzero(lesion), margins.tolist(), strict=True)
    )
    before, after, inside = source[box], result[box], lesion[box]
    _, around = near_and_around(inside, allowed[box], spacing)
    if around.sum() < FEWEST_VOXELS:
        return {}
    contrasts = [_contrast(volume, inside, around) for volume in (before, after)]
    if abs(contrasts[0]) < VISIBLE:
        return {}
    numbers = {"lesion contrast": contrasts[1] / contrasts[0]}
    if abs(contrasts[0]) < OUTLINED:
        return numbers
    core = core_of(inside, spacing)
    # No farther than a voxel from the mask: beyond it other tissue may be as bright.
    near = inside | (allowed[box] & ndimage.binary_dilation(inside))
    n_before, n_after = (int(np.count_nonzero(found_region(volume, core, near, around))) for volume in (before, after))
    return numbers | {"lesion volume": n_after / max(n_before, 1)}


def _contrast(volume: NDArray[np.float32], inside: BoolArray, around: BoolArray) -> float:
    """Return the contrast-to-noise of a lesion; that of a surround without noise is as large as can be."""
    noise = float(volume[around].std(dtype=np.float64))
    return difference(volume, inside, around) / max(noise, float(np.finfo(np.float32).tiny))
