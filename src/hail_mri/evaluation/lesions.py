"""Whether a lesion is still what it was: its contrast, its edge, its volume and its place, before and after.

Terms
-----
surround, core, found
    As of any marked region (`image.marked_region`); the surround is brain.
contrast-to-noise
    Mean of the lesion minus mean of the surround, over the standard deviation of the surround: negative where the
    lesion is darker. A harmonization may change it, as sites differ; it may not turn it around.

References
----------
Bechara et al., AJR 188:1306 (2007), doi:10.2214/AJR.06.1043, for contrast-to-noise ratios of lesions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.paired_arrays import mask_on_grid, volumes_on_one_grid
from hail_mri.image.marked_region import FEWEST_VOXELS, core_of, difference, found_region, near_and_around

NO_SURROUND = "there is next to no brain around the lesion"
NO_CONTRAST = "the source does not show the lesion: its mean is that of its surround"


@dataclass(frozen=True)
class LesionChange:
    """Hold what became of a lesion.

    Attributes
    ----------
    contrast_before, contrast_after : Measurement
        Contrast-to-noise in source and result.
    sharpness : Measurement
        Mean gradient at the lesion's edge over its contrast, of the result in percent of the source's: below 100 where
        the edge was blurred.
    volume : Measurement
        Of what is found in the result, in percent of what is found in the source.
    overlap : Measurement
        Dice coefficient of both, 0 to 1.
    shift : Measurement
        Distance of their centres of mass, mm.
    found_before, found_after : Measurement
        Volume of what is found in source and result, ml.
    """

    contrast_before: Measurement
    contrast_after: Measurement
    sharpness: Measurement
    volume: Measurement
    overlap: Measurement
    shift: Measurement
    found_before: Measurement
    found_after: Measurement

    @property
    def is_reversed(self) -> bool:
        """Whether a dark lesion has become a bright one, or a bright one dark."""
        before, after = self.contrast_before.value, self.contrast_after.value
        return before is not None and after is not None and before * after < 0


def lesion_change(
    source: ArrayLike, result: ArrayLike, *, lesion: ArrayLike, brain: ArrayLike, spacing: ArrayLike
) -> LesionChange:
    """Compare a lesion in a result with the same lesion in its source.

    Parameters
    ----------
    source, result : (I, J, K) array-like
        One grid, each in any unit.
    lesion, brain : (I, J, K) bool array-like
        Outlined in the source; several lesions in one mask are looked at together.
    spacing : (3,) array-like of float
        Of the voxels, mm.

    Returns
    -------
    LesionChange
        Undefined where there is no brain around the lesion, or the source does not show it.

    Raises
    ------
    InputError
        If shapes differ or are not three-dimensional, a value is not finite, a mask is empty, or the spacing is not
        three positive numbers.

    Examples
    --------
    >>> source = np.full((21, 21, 21), 100.0) + np.random.default_rng(0).normal(size=(21, 21, 21))
    >>> lesion = np.zeros(source.shape, bool)
    >>> lesion[8:13, 8:13, 8:13] = True
    >>> source[lesion] -= 40
    >>> same = lesion_change(source, 2 * source, lesion=lesion, brain=np.ones(source.shape, bool), spacing=(1, 1, 1))
    >>> round(same.sharpness.value), same.volume.value, same.overlap.value, same.shift.value, same.is_reversed
    (100, 100.0, 1.0, 0.0, False)
    """
    before, after = volumes_on_one_grid(source, result)
    inside, of_brain = (
        mask_on_grid(m, before.shape, name) for m, name in ((lesion, "lesion mask"), (brain, "brain mask"))
    )
    steps = np.asarray(spacing, dtype=np.float64)
    if steps.shape != (3,) or not (np.isfinite(steps).all() and (steps > 0).all()):
        raise InputError(f"the spacing is {spacing!r}, expected three positive numbers", hint="give it in mm")
    near, around = near_and_around(inside, of_brain, steps)
    if around.sum() < FEWEST_VOXELS:
        return _undefined(NO_SURROUND)
    if difference(before, inside, around) == 0:
        return _undefined(NO_CONTRAST)
    core = core_of(inside, steps)
    found = [found_region(volume, core, near, around) for volume in (before, after)]
    return LesionChange(
        _contrast(before, inside, around),
        _contrast(after, inside, around),
        _relative_sharpness(before, after, inside, around, steps),
        *_compare(found[0], found[1], steps),
        *(Measurement(float(each.sum() * steps.prod() / 1000)) for each in found),
    )


def _undefined(reason: str) -> LesionChange:
    """Return that nothing can be measured."""
    return LesionChange(*[Measurement.undefined(reason)] * 8)


def _contrast(volume: NDArray[np.floating], inside: NDArray[np.bool_], around: NDArray[np.bool_]) -> Measurement:
    """Return the contrast-to-noise of a lesion."""
    noise = float(volume[around].std(dtype=np.float64))
    if noise == 0:
        return Measurement.undefined("the surround of the lesion is constant")
    return Measurement(difference(volume, inside, around) / noise)


def _relative_sharpness(
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    inside: NDArray[np.bool_],
    around: NDArray[np.bool_],
    spacing: NDArray[np.float64],
) -> Measurement:
    """Return how sharp the edge is after, in percent of how sharp it was."""
    edge = ndimage.binary_dilation(inside) & ~ndimage.binary_erosion(inside)
    values = []
    for volume in (before, after):
        gradients = np.stack([np.asarray(g)[edge] for g in np.gradient(volume.astype(np.float64), *spacing)])
        slope = float(np.linalg.norm(gradients, axis=0).mean())
        contrast = abs(difference(volume, inside, around))
        if contrast == 0:
            return Measurement.undefined("the result does not show the lesion")
        values.append(slope / contrast)
    return Measurement(100 * values[1] / values[0])


def _compare(
    before: NDArray[np.bool_], after: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> tuple[Measurement, Measurement, Measurement]:
    """Return volume in percent, Dice, and distance of the centres."""
    overlap = Measurement(2 * float((before & after).sum()) / float(before.sum() + after.sum()))
    if not after.any():
        return Measurement(0.0), overlap, Measurement.undefined("nothing of the lesion is found in the result")
    centres = [np.argwhere(found).mean(axis=0) * spacing for found in (before, after)]
    shift = Measurement(float(np.linalg.norm(centres[0] - centres[1])))
    return Measurement(100 * float(after.sum() / before.sum())), overlap, shift
