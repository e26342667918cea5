"""A region that is marked in a scan, a lesion say, and what is around it: how it stands out, and how far.

Terms
-----
part
    Voxels of a mask that touch each other, be it at a corner: one lesion of several.
surround
    What is between `GAP` and `REACH` mm from a region.
core
    The deeper half of a region.
contrast-to-noise
    Mean of a region minus mean of its surround, over the standard deviation of the surround: negative where the region
    is darker.
shown
    A volume shows a region if its contrast-to-noise, whatever its sign, is at least `FAINTEST` and at least `CHANCE`
    standard errors. Where it is not, nothing else of the region can be measured: what would be found is noise.
found
    Voxels of region and surround on the core's side of the middle between core and surround, as far as they hang
    together with the core: what a reader who goes by intensity would outline.

References
----------
Bechara et al., AJR 188:1306 (2007), doi:10.2214/AJR.06.1043, for contrast-to-noise ratios of lesions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BoolArray = NDArray[np.bool_]
Volume = NDArray[np.floating]
Box = tuple[slice, ...]

GAP, REACH = 1.0, 6.0  # mm
FEWEST_VOXELS = 8  # of a surround
FAINTEST = 0.5  # standard deviations of the surround; tissue that fills its place may differ as much from the surround
CHANCE = 3.0  # standard errors: of few voxels more is asked
ROUNDING = 1e-6  # of the mean; what differs by less is the same


@dataclass(frozen=True, eq=False)
class MarkedRegion:
    """A region with what is around it.

    Attributes
    ----------
    inside, core, around, near : (I, J, K) bool ndarray
        The region, its core, its surround, and where it may be found.
    """

    inside: BoolArray
    core: BoolArray
    around: BoolArray
    near: BoolArray

    @classmethod
    def of(cls, inside: BoolArray, allowed: BoolArray, spacing: NDArray[np.float64]) -> Self:
        """Look around a region.

        Parameters
        ----------
        inside, allowed : (I, J, K) bool ndarray
            The region, and where its surround may be.
        spacing : (3,) ndarray
            mm.
        """
        distance = ndimage.distance_transform_edt(~inside, sampling=spacing)
        near = inside | (allowed & (distance <= REACH))
        return cls(inside, _core(inside, spacing), near & (distance > GAP), near)

    @property
    def has_surround(self) -> bool:
        """Whether there is enough around the region to compare it with."""
        return int(np.count_nonzero(self.around)) >= FEWEST_VOXELS

    def difference(self, volume: Volume) -> float:
        """Return the mean of the region minus that of its surround."""
        return _mean(volume[self.inside]) - _mean(volume[self.around])

    def contrast_to_noise(self, volume: Volume) -> float:
        """Return the contrast-to-noise; infinite, or 0 where nothing differs, if the surround is constant."""
        difference, level = self.difference(volume), abs(_mean(volume[self.around]))
        noise = float(volume[self.around].std(dtype=np.float64))
        if noise > ROUNDING * level:
            return difference / noise
        return float(np.copysign(np.inf, difference)) if abs(difference) > ROUNDING * level else 0.0

    def is_shown_by(self, volume: Volume) -> bool:
        """Return whether a volume shows the region."""
        standard_error = np.sqrt(sum(1 / np.count_nonzero(voxels) for voxels in (self.inside, self.around)))
        return bool(abs(self.contrast_to_noise(volume)) >= max(FAINTEST, CHANCE * standard_error))

    def found_in(self, volume: Volume, within: BoolArray | None = None) -> BoolArray:
        """Return what is found of the region in a volume: nothing if that does not show it.

        Parameters
        ----------
        volume : (I, J, K) ndarray
        within : (I, J, K) bool ndarray, optional
            Where to look, if not everywhere near.
        """
        if not self.is_shown_by(volume):
            return np.zeros_like(self.inside)
        outside = _mean(volume[self.around])
        contrast = _mean(volume[self.core]) - outside
        on_its_side = (volume - (outside + contrast / 2)) * np.sign(contrast) > 0
        parts, _ = ndimage.label(on_its_side & (self.near if within is None else within))
        return np.isin(parts, np.setdiff1d(parts[self.core], 0))


def parts_of(mask: BoolArray, spacing: NDArray[np.float64]) -> Iterator[tuple[Box, BoolArray]]:
    """Yield the parts of a mask, each in the box in which it is measured: no voxel farther away matters.

    Parameters
    ----------
    mask : (I, J, K) bool ndarray
    spacing : (3,) ndarray
        mm.

    Yields
    ------
    box : tuple of slice
    inside : bool ndarray
        The part, in the box.

    Examples
    --------
    >>> [int(inside.sum()) for _, inside in parts_of(np.array([[[True, True, False, True]]]), np.ones(3))]
    [2, 1]
    """
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    margins = [int(margin) + 1 for margin in np.ceil(REACH / spacing)]
    for number, where in enumerate(ndimage.find_objects(labels), start=1):
        box = tuple(slice(max(0, s.start - margin), s.stop + margin) for s, margin in zip(where, margins, strict=True))
        yield box, labels[box] == number


def _core(inside: BoolArray, spacing: NDArray[np.float64]) -> BoolArray:
    """Return the deeper half of each part of a region."""
    depth = ndimage.distance_transform_edt(inside, sampling=spacing)
    parts, n_parts = ndimage.label(inside)
    deepest = np.concatenate([[np.inf], ndimage.maximum(depth, parts, range(1, n_parts + 1))])
    return np.asarray(2 * depth > deepest[parts])


def _mean(values: Volume) -> float:
    """Return the mean, summed in float64."""
    return float(values.mean(dtype=np.float64))
