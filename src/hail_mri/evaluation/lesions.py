"""Whether a lesion is still what it was: its contrast, its edge, its volume and its place, before and after.

Terms
-----
surround, core, contrast-to-noise, shown, found
    As of any marked region (`image.marked_region`); the surround is brain. A harmonization may change the
    contrast-to-noise, as sites differ; it may not turn it around.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.paired_arrays import mask_on_grid, volumes_on_one_grid
from hail_mri.image.marked_region import MarkedRegion, parts_of

NO_SURROUND = "there is next to no brain around the lesion"
NOT_IN_SOURCE = "the source does not show the lesion"
NOT_IN_RESULT = "the result does not show the lesion"


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
        Of what is found in the result, in percent of what is found in the source; 0 where the result does not show
        the lesion, and of a lesion that was turned over that of what is found on the other side.
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
    def reversal(self) -> Measurement:
        """1 where a dark lesion has become a bright one, or a bright one dark, and 0 where not.

        Undefined where source or result do not show the lesion: the sign of noise means nothing.
        """
        if reason := self.sharpness.reason or self.contrast_before.reason or self.contrast_after.reason:
            return Measurement.undefined(reason)
        return Measurement(float((self.contrast_before.value or 0) * (self.contrast_after.value or 0) < 0))

    @property
    def is_reversed(self) -> bool:
        """Whether a dark lesion has become a bright one, or a bright one dark."""
        return self.reversal.value == 1

    @property
    def is_erased(self) -> bool:
        """Whether the source shows the lesion, and the result does not."""
        return self.volume.value == 0


def lesion_change(
    source: ArrayLike, result: ArrayLike, *, lesion: ArrayLike, brain: ArrayLike, spacing: ArrayLike
) -> LesionChange:
    """Compare a lesion in a result with the same lesion in its source.

    Parameters
    ----------
    source, result : (I, J, K) array-like
        One grid, each in any unit.
    lesion, brain : (I, J, K) bool array-like
        Outlined in the source; several lesions in one mask are looked at together (`lesion_changes`: one by one).
    spacing : (3,) array-like of float
        Of the voxels, mm.

    Returns
    -------
    LesionChange
        Undefined where there is no brain around the lesion, and all but the contrast where the source does not show
        it; where the result does not, nothing of it is found, and it has no edge and no place.

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
    region = MarkedRegion.of(inside, of_brain, steps)
    if not region.has_surround:
        nothing = Measurement.undefined(NO_SURROUND)
        return _undefined(nothing, nothing, NO_SURROUND)
    contrasts = (_contrast(before, region), _contrast(after, region))
    found = [region.found_in(volume) for volume in (before, after)]
    if not found[0].any():
        return _undefined(*contrasts, NOT_IN_SOURCE)
    return LesionChange(
        *contrasts,
        _relative_sharpness(before, after, region, steps),
        *_compare(found[0], found[1], steps),
        *(Measurement(float(each.sum() * steps.prod() / 1000)) for each in found),
    )


def lesion_changes(
    source: ArrayLike, result: ArrayLike, *, lesions: ArrayLike, brain: ArrayLike, spacing: ArrayLike
) -> Iterator[LesionChange]:
    """Compare each part of a mask by itself; no lesion is the surround of another.

    Parameters
    ----------
    source, result : (I, J, K) array-like
    lesions, brain : (I, J, K) bool array-like
    spacing : (3,) array-like of float
        As of `lesion_change`.

    Yields
    ------
    LesionChange
        In the order of `image.marked_region.parts_of`.
    """
    before, after, steps = np.asarray(source), np.asarray(result), np.asarray(spacing, dtype=np.float64)
    healthy = np.asarray(brain, dtype=bool) & ~np.asarray(lesions, dtype=bool)
    for box, inside in parts_of(np.asarray(lesions, dtype=bool), steps):
        yield lesion_change(before[box], after[box], lesion=inside, brain=healthy[box] | inside, spacing=steps)


def share_of_lesions(changes: Sequence[LesionChange], happened: Callable[[LesionChange], bool]) -> Measurement:
    """Return in what share of the lesions that the source shows something has happened, 0 to 1.

    Parameters
    ----------
    changes : sequence of LesionChange
        Of `lesion_changes`.
    happened : function of LesionChange to bool
    """
    shown = [change for change in changes if change.volume.value is not None]
    if not shown:
        return Measurement.undefined("the source shows no lesion by itself")
    return Measurement(sum(map(happened, shown)) / len(shown))


def _undefined(before: Measurement, after: Measurement, reason: str) -> LesionChange:
    """Return the contrasts, and that nothing else can be measured."""
    rest = Measurement.undefined(reason)
    return LesionChange(before, after, rest, rest, rest, rest, rest, rest)


def _contrast(volume: NDArray[np.floating], region: MarkedRegion) -> Measurement:
    """Return the contrast-to-noise of a lesion."""
    contrast = region.contrast_to_noise(volume)
    if np.isinf(contrast) or np.ptp(volume[region.around]) == 0:
        return Measurement.undefined("the surround of the lesion is constant")
    return Measurement(contrast)


def _relative_sharpness(
    before: NDArray[np.floating], after: NDArray[np.floating], region: MarkedRegion, spacing: NDArray[np.float64]
) -> Measurement:
    """Return how sharp the edge is after, in percent of how sharp it was."""
    if not region.is_shown_by(after):
        return Measurement.undefined(NOT_IN_RESULT)
    inside = region.inside
    edge = ndimage.binary_dilation(inside) & ~ndimage.binary_erosion(inside)
    values = []
    for volume in (before, after):
        gradients = np.stack([np.asarray(g)[edge] for g in np.gradient(volume.astype(np.float64), *spacing)])
        slope = float(np.linalg.norm(gradients, axis=0).mean())
        values.append(slope / abs(region.difference(volume)))
    return Measurement(100 * values[1] / values[0])


def _compare(
    before: NDArray[np.bool_], after: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> tuple[Measurement, Measurement, Measurement]:
    """Return volume in percent, Dice, and distance of the centres."""
    overlap = Measurement(2 * float((before & after).sum()) / float(before.sum() + after.sum()))
    if not after.any():
        return Measurement(0.0), overlap, Measurement.undefined(NOT_IN_RESULT)
    centres = [np.argwhere(found).mean(axis=0) * spacing for found in (before, after)]
    shift = Measurement(float(np.linalg.norm(centres[0] - centres[1])))
    return Measurement(100 * float(after.sum() / before.sum())), overlap, shift
