"""What each lesion may expect of a result: that it stands out as it did, and is as large as it was.

Every part of the mask is judged by itself, and the worst counts: pooled, the largest would speak for all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.harmonize.check import Check
from hail_mri.harmonize.limits import LIMITS_BY_NAME
from hail_mri.image.marked_region import MarkedRegion, parts_of

BoolArray = NDArray[np.bool_]

OUTLINED = 1.0  # contrast-to-noise in the source, below which a volume cannot be read from intensities
FEWEST_OF_VOLUME = 30  # voxels found in the source; of fewer one or two more are as much as is allowed
NO_SURROUND = "too little around to compare with"
FAINT = "faint in the source"
TOO_SMALL = "too small or too faint to judge the volume"


@dataclass(frozen=True)
class LesionPart:
    """What became of a lesion.

    Attributes
    ----------
    n_voxels : int
        Of the mask.
    centre : (3,) tuple of float
        In voxels.
    contrast, volume : float or None
        Of the result, over those of the source; the contrast below 0 where dark and bright changed places. None where
        it was not judged.
    reason : str
        Why the lesion was not judged; empty if it was.
    """

    n_voxels: int
    centre: tuple[float, ...]
    contrast: float | None = None
    volume: float | None = None
    reason: str = ""


def lesion_parts(
    source: NDArray[np.float32],
    result: NDArray[np.float32],
    lesion: BoolArray,
    surrounds: Sequence[BoolArray],
    spacing: NDArray[np.float64],
) -> list[LesionPart]:
    """Measure what became of each part of a lesion mask.

    Parameters
    ----------
    source, result : (I, J, K) ndarray
        In any units.
    lesion : (I, J, K) bool ndarray
    surrounds : sequence of (I, J, K) bool ndarray
        Where a surround may be; the first in which a lesion can be judged counts for it. What is in the mask is no
        surround of another part.
    spacing : (3,) ndarray
        mm.
    """
    parts = []
    for box, inside in parts_of(lesion, spacing):
        centre = np.argwhere(inside).mean(axis=0) + [side.start for side in box]
        part = LesionPart(int(np.count_nonzero(inside)), tuple(centre.tolist()))
        for allowed in surrounds:
            region = MarkedRegion.of(inside, allowed[box] & ~lesion[box], spacing)
            measured = _measured(part, source[box], result[box], region)
            if not measured.reason:
                break
        parts.append(measured)
    return parts


def lesion_checks(parts: Sequence[LesionPart], affine: NDArray[np.float64]) -> list[Check]:
    """Judge the parts of a lesion mask.

    Parameters
    ----------
    parts : sequence of LesionPart
    affine : (4, 4) ndarray
        From voxels to mm.

    Returns
    -------
    checks : list of Check
        How much was judged, and contrast and volume of the worst part.
    """
    judged = [part for part in parts if part.contrast is not None]
    share = sum(part.n_voxels for part in judged) / sum(part.n_voxels for part in parts)
    check = LIMITS_BY_NAME["lesions judged"].check(share)
    reasons = Counter(part.reason or TOO_SMALL for part in parts if part.volume is None)
    why = "".join(f"; {n} {reason}" for reason, n in sorted(reasons.items()))
    checks = [replace(check, found=f"{check.found}: {len(judged)} of {len(parts)}{why}")]
    contrasts = [(part, part.contrast) for part in parts if part.contrast is not None]
    volumes = [(part, part.volume) for part in parts if part.volume is not None]
    for name, numbers in (("lesion contrast", contrasts), ("lesion volume", volumes)):
        if numbers:
            checks.append(_worst(name, numbers, affine))
    return checks


def _measured(
    part: LesionPart, before: NDArray[np.float32], after: NDArray[np.float32], region: MarkedRegion
) -> LesionPart:
    """Return a part with what became of it."""
    if not region.has_surround:
        return replace(part, reason=NO_SURROUND)
    contrast = region.contrast_to_noise(before)
    if not region.is_shown_by(before):
        return replace(part, reason=FAINT)
    # No farther than a voxel from the mask: beyond it other tissue may be as bright.
    within = region.near & ndimage.binary_dilation(region.inside)
    n_before, n_after = (int(np.count_nonzero(region.found_in(volume, within))) for volume in (before, after))
    has_volume = n_before >= FEWEST_OF_VOLUME and abs(contrast) >= OUTLINED
    kept = region.contrast_to_noise(after) / contrast if math.isfinite(contrast) else _kept(region, before, after)
    return replace(part, contrast=kept, volume=n_after / n_before if has_volume else None)


def _kept(region: MarkedRegion, before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Return the contrast over that in the source where the surround is constant: there is no noise to count by."""
    return region.difference(after) / region.difference(before)


def _worst(name: str, numbers: Sequence[tuple[LesionPart, float]], affine: NDArray[np.float64]) -> Check:
    """Return the check of the worst part, and where that is if there are others."""

    def badness(entry: tuple[LesionPart, float]) -> tuple[bool, bool, float]:
        ratio = entry[1]
        verdict = LIMITS_BY_NAME[name].check(ratio).verdict
        off = abs(math.log(ratio)) if ratio > 0 else math.inf
        return verdict == "fail", verdict == "check", off

    part, ratio = max(numbers, key=badness)
    check = LIMITS_BY_NAME[name].check(ratio)
    if len(numbers) == 1:
        return check
    x, y, z = (affine[:3, :3] @ part.centre + affine[:3, 3]).tolist()
    where = f"the worst of {len(numbers)}, {part.n_voxels} voxels at ({x:.0f}, {y:.0f}, {z:.0f}) mm"
    return replace(check, found=f"{check.found}, {where}")
