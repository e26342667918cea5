"""Prepare a scan for the network, and keep what is needed to go back.

A *prepared* scan is the scan on the *network grid*: parallel to the scan's own axes, coarse and isotropic, around the
head, on a [0, 1] scale. Going back is two small matrices an axis; the scan itself is never resampled there and back.
Bias field correction and registration have their place between the steps of `prepare`.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid
from hail_mri.image.mask import MASK_THRESHOLD, check_mask
from hail_mri.image.orientation import to_canonical
from hail_mri.image.scales import LinearScale
from hail_mri.image.separable import along_axes
from hail_mri.image.volume import Volume
from hail_mri.preprocess.background import (
    DARK_PERCENTILE,
    SAMPLE_STEP,
    Origin,
    constant_background,
    erased_voxels,
    zero_point,
)
from hail_mri.preprocess.masks import head_mask
from hail_mri.preprocess.network_grid import AxisMatrices, grid_around, matrices_between, row_sums
from hail_mri.preprocess.white_matter import measured_white_matter

FloatArray = NDArray[np.float32]

WHITE_MATTER = 0.6  # what white matter becomes on the [0, 1] scale; it leaves room for fat
FULL, MOST = 0.6, 0.75  # a head mask of more than 0.6 of the field of view, of which less than 0.75 is head, is wrong
LARGEST_LESION = 0.5  # of what is measured; where more is left out, nothing is known of the rest
CEILING = 1.5  # of what the network sees; brighter voxels (vessels, markers) are cut off for it, and for it alone


@dataclass(frozen=True)
class Prepared:
    """A scan on the network grid, and the way back.

    Attributes
    ----------
    canonical : Volume
        The scan itself, axes in the order R, A, S, scanner units.
    scale : LinearScale
        Scanner units to [0, 1].
    grid : Grid
        The network grid.
    data : (i, j, k) array of float32
        On the network grid, scaled; 0 outside the measured region.
    weight, background : (i, j, k) array of float32, 0 to 1
        Share of each of its voxels in the region that is measured (head, or brain mask), and outside the head.
    to_network, to_native : three arrays each
        Matrices (n_to, n_from) of the three axes: means over voxels, and linear interpolation back.
    head, erased : (I, J, K) bool array
        Head mask on the native grid, canonical axes; and background that has one constant value.
    constant : float or None
        That value.
    zero_origin : str
        How the intensity that becomes 0 was found, see `ZeroPoint`.
    is_whole : bool
        Whether all that the head mask holds is measured, and not a region that was given.
    lesion : (i, j, k) array of float32 or None
        Share of each voxel of the network grid that statistics leave out.
    """

    canonical: Volume
    scale: LinearScale
    grid: Grid
    data: FloatArray
    weight: FloatArray
    background: FloatArray
    to_network: AxisMatrices
    to_native: AxisMatrices
    head: NDArray[np.bool_]
    erased: NDArray[np.bool_]
    constant: float | None = None
    zero_origin: Origin = "air"
    is_whole: bool = True
    lesion: FloatArray | None = None

    @property
    def measured(self) -> FloatArray:
        """How much each voxel of the network grid counts in statistics: its weight without the lesion, (i, j, k)."""
        return self.weight if self.lesion is None else self.weight * (1 - self.lesion)

    def scaled(self) -> FloatArray:
        """Return the scan itself on the [0, 1] scale, (I, J, K) float32; 0 where it is erased."""
        scaled = self.scale.apply(self.canonical.data)
        scaled[self.erased] = 0
        return scaled

    @property
    def field_of_view(self) -> FloatArray:
        """Share of each voxel of the network grid that the scan covers, (i, j, k)."""
        return along_axes(np.ones((1, 1, 1), np.float32), row_sums(self.to_network))

    @property
    def has_marked_background(self) -> bool:
        """Whether what is erased holds a value that is not that of no signal, and so has no place on the scale."""
        return self.constant is not None and self.constant != self.scale.low

    def with_head(self, head: NDArray[np.bool_]) -> "Prepared":
        """Return the same with what else is known of the head; a region that was given stays as it is.

        Parameters
        ----------
        head : (i, j, k) bool array
            On the network grid. Joined with the head mask, or put in its place if that fills the field of view and much
            of it is not in `head`: noise as bright as tissue leads it astray.
        """
        if not (self.is_whole and head.any()):
            return self
        field_of_view = self.weight + self.background
        seen = head * field_of_view  # beyond the field of view nothing is measured
        fills_everything = self.weight.sum() > FULL * field_of_view.sum()
        if fills_everything and (self.weight * seen).sum() < MOST * self.weight.sum():
            return replace(self, weight=seen, background=field_of_view - seen)
        weight = np.maximum(self.weight, seen)
        return replace(self, weight=weight, background=np.maximum(field_of_view - weight, 0))

    def with_canonical(self, canonical: Volume) -> "Prepared":
        """Return the same of another scan on the same grid: with its bias field, say."""
        return replace(self, canonical=canonical)

    def rescaled(self, factor: float) -> "Prepared":
        """Return the same with another scale: what is `factor` on this one is 1 on the new one.

        Parameters
        ----------
        factor : float
            Above 0.
        """
        low, high = self.scale.low, self.scale.high
        scale = LinearScale(low, low + (high - low) * factor)
        return replace(self, scale=scale, data=self.data * np.float32(1 / factor))


def prepare(
    volume: Volume, *, spacing: float, stride: int, region: Volume | None = None, lesion: Volume | None = None
) -> Prepared:
    """Bring a scan to the network grid.

    Parameters
    ----------
    volume : Volume
        Any orientation, spacing and unit.
    spacing : float
        Of the network grid, mm.
    stride : int
        The network grid's edges are multiples of it.
    region : Volume, optional
        Where scale and style are measured and what the network sees, above 0.5 inside (a brain mask, which may be
        soft); on the grid of `volume`. The head without it.
    lesion : Volume, optional
        What statistics leave out, above 0.5 inside, on the grid of `volume`; the network sees it.

    Raises
    ------
    InputError
        If no head is found or it is larger than any, the region or the lesion is empty or on another grid, or the
        lesion is more than half of what is measured.
    """
    canonical = to_canonical(volume)
    data = canonical.data
    head, constant = head_mask(canonical), constant_background(data)
    inside = head if region is None else _checked_region(region, volume)
    left_out = None if lesion is None else _checked_lesion(lesion, volume, inside)
    erased = erased_voxels(data, head, constant)
    grid = grid_around(canonical.grid, head | inside, spacing, stride)
    to_network, to_native = matrices_between(canonical.grid, grid)
    weight = along_axes(inside.astype(np.float32), to_network)
    share = None if left_out is None else along_axes(left_out.astype(np.float32), to_network)
    averages = _Averages(data, erased, constant or 0.0, to_network)
    seen = averages.with_empty(_darkest(data, head, erased, constant))
    white_matter = measured_white_matter(seen, weight if share is None else weight * (1 - share), spacing)
    zero = zero_point(data, head, erased, constant, white_matter)
    scale = _scale(zero.value, white_matter)
    prepared = Prepared(
        canonical,
        scale,
        grid,
        scale.apply(averages.with_empty(zero.value)),
        weight,
        along_axes((~(head | inside)).astype(np.float32), to_network),
        to_network,
        to_native,
        head,
        erased,
        constant,
        zero.origin,
        is_whole=region is None,
        lesion=share,
    )
    if region is None:
        return prepared
    return replace(prepared, data=along_axes(prepared.scaled() * inside, to_network))


@dataclass(frozen=True)
class _Averages:
    """A scan on the network grid, whose value can be chosen where it is erased or beyond the field of view."""

    data: FloatArray
    erased: NDArray[np.bool_]
    constant: float
    to_network: AxisMatrices

    @cached_property
    def averaged(self) -> FloatArray:
        """The scan as it is, and 0 beyond the field of view."""
        return along_axes(self.data, self.to_network)

    @cached_property
    def empty(self) -> FloatArray:
        """Share of each voxel that is erased."""
        return along_axes(self.erased.astype(np.float32), self.to_network)

    def with_empty(self, value: float) -> FloatArray:
        """Return the averages with a value where there is nothing."""
        outside = 1 - along_axes(np.ones((1, 1, 1), np.float32), row_sums(self.to_network))
        filled = self.averaged + np.float32(value) * outside
        if value != self.constant:
            filled += np.float32(value - self.constant) * self.empty
        return filled


def _checked_region(region: Volume, volume: Volume) -> NDArray[np.bool_]:
    """Return the region in canonical axes, or say what is wrong with it."""
    check_mask(region, volume)
    return np.asarray(to_canonical(region).data > MASK_THRESHOLD)


def _checked_lesion(lesion: Volume, volume: Volume, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the lesion in canonical axes, or say what is wrong with it."""
    check_mask(lesion, volume, mask_name="the lesion mask", of="the lesion")
    left_out = np.asarray(to_canonical(lesion).data > MASK_THRESHOLD)
    share = float(left_out[inside].mean())
    if share > LARGEST_LESION:
        raise InputError(
            f"the lesion mask covers {100 * share:.0f} % of what is measured, expected at most "
            f"{100 * LARGEST_LESION:.0f} %",
            hint="give a mask of the lesion alone, 1 inside and 0 outside",
        )
    return left_out


def _darkest(data: FloatArray, head: NDArray[np.bool_], erased: NDArray[np.bool_], constant: float | None) -> float:
    """Return what stands for no signal until that is known: nothing brighter than tissue."""
    if constant is None or constant == 0 <= data.min():
        return 0.0
    return float(np.percentile(data[head & ~erased][::SAMPLE_STEP], DARK_PERCENTILE))


def _scale(zero: float, white_matter: float) -> LinearScale:
    """Return the scale on which no signal is 0 and white matter has its place."""
    if white_matter <= zero:
        raise InputError(
            f"the brain is not brighter than the air around the head (brain: {white_matter:g}, air: {zero:g})",
            hint="give a T1-weighted scan, in which air is dark",
        )
    return LinearScale(zero, zero + (white_matter - zero) / WHITE_MATTER)
