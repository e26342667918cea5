"""What a tissue map says of a scan as a whole: how sure it is, how large the brain is, and which way it is held.

All is measured on the network's own map, before intensities refine it: what it has never seen makes it uncertain, and a
head held the wrong way has its brain stem and its eyes in the wrong place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.model.tissue_classes import BRAIN, CLASS_INDEX, WHITE_MATTER

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.floating]

BRAIN_STEM, VITREOUS = CLASS_INDEX["brain_stem"], CLASS_INDEX["vitreous"]
ML_PER_MM3, CM2_PER_MM2 = 1e-3, 1e-2
ENOUGH_STEM, ENOUGH_EYE = 4.0, 1.0  # ml; what is smaller may be anything
LOWEST_PERCENTILE = 5.0  # of the heights of the brain's voxels, to find how deep it reaches


@dataclass(frozen=True)
class MapMeasures:
    """What a tissue map says of a scan; axes are R, A, S.

    Attributes
    ----------
    brain : (i, j, k) bool ndarray
        The largest piece of brain and fluid.
    confidence : float, 0 to 1
        Mean share of the most probable tissue in the brain.
    brain_volume : float
        ml.
    white_matter_fraction : float
        Of the brain with its fluid.
    width_to_length : float
        Of the brain.
    stem_height, eye_position : float or None
        How far the brain stem lies above the middle of the brain, and the eyes before it, mm; None without enough of
        either.
    lower_behind : float
        How much deeper the brain reaches behind its middle than before it, mm: the cerebellum.
    cut_area : float
        Area of the brain's surface that is the border of the field of view, cm².
    """

    brain: BoolArray
    confidence: float
    brain_volume: float
    white_matter_fraction: float
    width_to_length: float
    stem_height: float | None
    eye_position: float | None
    lower_behind: float
    cut_area: float


def measure_map(tissue_map: FloatArray, weight: FloatArray, covered: FloatArray, spacing: float) -> MapMeasures | None:
    """
    Measure a tissue map.

    Parameters
    ----------
    tissue_map : (n_classes, i, j, k) ndarray, 0 to 1
        The network's map.
    weight, covered : (i, j, k) ndarray, 0 to 1
        What is measured of each voxel, and what the field of view has of it.
    spacing : float
        Isotropic, mm.

    Returns
    -------
    measures : MapMeasures or None
        None if there is no brain in the map.
    """
    inside = tissue_map[list(BRAIN)].sum(axis=0) * (weight > 0) > 0.5
    labels, n_parts = ndimage.label(inside)
    if n_parts == 0:
        return None
    brain = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    ml = spacing**3 * ML_PER_MM3
    places = np.argwhere(brain) * spacing
    middle, extent = places.mean(axis=0), np.ptp(places, axis=0) + spacing
    in_front = places[:, 1] > middle[1]
    depths = [np.percentile(places[half, 2], LOWEST_PERCENTILE) for half in (in_front, ~in_front) if half.any()]
    voxels = tissue_map[:, brain]
    return MapMeasures(
        brain,
        confidence=float(voxels.max(axis=0).mean()),
        brain_volume=len(places) * ml,
        white_matter_fraction=float(voxels[WHITE_MATTER].mean()),
        width_to_length=float(extent[0] / extent[1]),
        stem_height=_offset(tissue_map[BRAIN_STEM] * weight, middle, axis=2, spacing=spacing, least=ENOUGH_STEM / ml),
        eye_position=_offset(tissue_map[VITREOUS] * weight, middle, axis=1, spacing=spacing, least=ENOUGH_EYE / ml),
        lower_behind=float(depths[0] - depths[-1]),
        cut_area=_area_at_border(brain, covered > 0.5) * spacing**2 * CM2_PER_MM2,
    )


def _offset(share: FloatArray, middle: FloatArray, *, axis: int, spacing: float, least: float) -> float | None:
    """Return how far a tissue lies from a place along an axis, mm; None if it has fewer voxels than the least."""
    places = np.nonzero(share > 0.5)[axis]
    return None if len(places) < least else float(places.mean() * spacing - middle[axis])


def _area_at_border(mask: BoolArray, covered: BoolArray) -> int:
    """Count the faces of a mask's voxels behind which there is no field of view."""
    mask, beyond = np.pad(mask, 1), ~np.pad(covered, 1)
    return sum(int(np.count_nonzero(mask & np.roll(beyond, step, axis=axis))) for axis in range(3) for step in (-1, 1))
