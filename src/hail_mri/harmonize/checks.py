"""Checks before trust: whether a scan is one that the model can be believed on.

Wrong input that works is the worst kind. What the tissue map cannot explain, and what the voxels themselves show, is
measured and held against limits. Within the first pair of limits a scan is *ok*; beyond them it is worth a look
(*check*); beyond the second pair the result would mean nothing (*fail*).

Left and right cannot be told apart: heads are nearly symmetric.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from hail_mri.harmonize.check import Check, Verdict
from hail_mri.harmonize.feature_model import FeatureReading
from hail_mri.harmonize.limits import LIMITS_BY_NAME
from hail_mri.harmonize.style_model import Reading, Style
from hail_mri.harmonize.tissue_model import TissueReading
from hail_mri.model.map_measures import MapMeasures
from hail_mri.model.tissue_classes import BACKGROUND, BRAIN, CSF, GREY_MATTER, WHITE_MATTER
from hail_mri.model.tissue_exchange import style_distance
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.preprocess.lost_values import clipped_share
from hail_mri.preprocess.prepare import WHITE_MATTER as WHITE_MATTER_SCALED
from hail_mri.preprocess.prepare import Prepared

SAMPLE_STEP = 2  # along each axis: every eighth voxel shows how many are clipped, or 0
SMALLEST = 1e-6  # of an intensity that others are divided by
BRAIN_ALONE = 0.7  # of all tissue; 0.83 to 0.85 in stripped scans, 0.32 to 0.53 in whole and cut heads


ZERO_POINT = "intensity of no signal"
KNOWN_STYLE = "distance from training scans"


def check_reading(reading: Reading[Any]) -> tuple[Check, ...]:
    """
    Check a scan that a model has read.

    Parameters
    ----------
    reading : Reading

    Returns
    -------
    checks : tuple of Check
        Those of the voxels for any model; those of the tissues for a tissue model, how far the scan is from those that
        were learned from for a network of the paper's kind.
    """
    if isinstance(reading, TissueReading):
        numbers = {
            **_of_tissues(reading),
            **_of_voxels(reading.prepared, reading.measures, is_stripped=bool(reading.skull_stripped)),
        }
    else:
        numbers = _of_voxels(reading.prepared, None)
    checks = (*(LIMITS_BY_NAME[name].check(number) for name, number in numbers.items()), _zero_point(reading.prepared))
    return (*checks, _known_style(reading.score)) if isinstance(reading, FeatureReading) else checks


def check_style(style: Style, low: float, high: float, *, score: float | None = None) -> tuple[Check, ...]:
    """
    Check the style of a card, which may have been made with --force, or edited.

    Parameters
    ----------
    style : Style
    low, high : float
        What becomes 0 and 1, in the site's units.
    score : float, optional
        Of a style of features: how far it is from those of training scans, which is all that can be said of it.
    """
    if not isinstance(style, TissueStyle):
        return (_known_style(score),)
    numbers = {
        "white matter of the card": style.means[WHITE_MATTER],
        **_order_of_tissues(style),
        "no signal on the scale of the card": low / (high - low),
    }
    return tuple(LIMITS_BY_NAME[name].check(number) for name, number in numbers.items())


def check_pair(source: Style, target: Style) -> tuple[Check, ...]:
    """
    Check whether two scans show the same, a whole head or a brain alone, and are no farther apart than sites are.

    Parameters
    ----------
    source, target : Style
        Nothing can be said of styles of features.
    """
    if not (isinstance(source, TissueStyle) and isinstance(target, TissueStyle)):
        return ()
    stripped = [_is_brain_alone(style) for style in (source, target)]
    found = ", ".join(
        f"{name} {'yes' if is_stripped else 'no'}"
        for name, is_stripped in zip(("source", "target"), stripped, strict=True)
    )
    hint = "tissues are compared that both show; what the target does not show changes as tissues like it do"
    verdict: Verdict = "ok" if stripped[0] == stripped[1] else "check"
    distance = LIMITS_BY_NAME["distance of looks"].check(style_distance(source, target))
    return (Check("skull-stripped", verdict, found, "both or neither", hint), distance)


def _is_brain_alone(style: TissueStyle) -> bool:
    """Return whether there is next to nothing in a scan but a brain."""
    brain = sum(style.fractions[k] for k in BRAIN)
    return brain > BRAIN_ALONE * (1 - style.fractions[BACKGROUND])


def _order_of_tissues(style: TissueStyle) -> dict[str, float]:
    """Return how bright tissues are relative to each other, which is what makes a scan T1-weighted."""
    grey, white = (max(style.means[k], SMALLEST) for k in (GREY_MATTER, WHITE_MATTER))
    return {"grey matter / white matter": grey / white, "fluid / grey matter": style.means[CSF] / grey}


def _of_tissues(reading: TissueReading) -> Mapping[str, float]:
    """Return what the tissue map tells."""
    measures = reading.measures
    if measures is None:
        return {"brain volume": 0.0}
    numbers = {
        **_order_of_tissues(reading.style),
        "familiarity": measures.confidence,
        "unexplained intensity": reading.unexplained,
        "white matter in the brain": measures.white_matter_fraction,
        "brain volume": measures.brain_volume,
        "brain width / length": measures.width_to_length,
        "brain stem above the brain's middle": measures.stem_height,
        "eyes before the brain's middle": measures.eye_position,
        "brain lower behind than in front": measures.lower_behind,
        "brain cut by the field of view": measures.cut_area,
        "receive field in the brain": _field_range(reading.fit.field.numpy()[measures.brain]),
        "brain in the brain mask": None if reading.prepared.is_whole else _share_of_region(reading.prepared, measures),
    }
    return {name: number for name, number in numbers.items() if number is not None}


def _field_range(field: NDArray[np.float32]) -> float:
    """Return the dark end of a field over its bright end, without the last twentieth of both."""
    dark, bright = np.percentile(field, (5, 95))
    return float(dark / bright)


def _share_of_region(prepared: Prepared, measures: MapMeasures) -> float:
    """Return how much of a region that was given is brain."""
    return float((prepared.weight * measures.brain).sum() / prepared.weight.sum())


def _of_voxels(prepared: Prepared, measures: MapMeasures | None, *, is_stripped: bool = False) -> dict[str, float]:
    """Return what the voxels tell, whatever they are of."""
    canonical = prepared.canonical
    step = (slice(None, None, SAMPLE_STEP),) * 3
    inside = prepared.head[step]
    sample = canonical.data[step]
    # What was cut out of a head has erased voxels at its rim.
    rim = prepared.erased[step] if is_stripped else np.zeros_like(inside)
    white_matter = prepared.scale.low + WHITE_MATTER_SCALED * (prepared.scale.high - prepared.scale.low)
    extent = [np.ptp(np.flatnonzero((prepared.weight > 0.5).any(axis=axes))) for axes in ((1, 2), (0, 2), (0, 1))]
    numbers = {
        "head size": float(max(extent) + 1) * float(prepared.grid.spacing[0]),
        "zeros inside the head": float((sample[inside] == prepared.scale.low).mean()),
        "clipped voxels of the head": clipped_share(sample[inside], above=white_matter),
        "values in the brain": float(len(np.unique(sample[inside]))),
        "slice thickness": float(max(canonical.spacing)),
    }
    if measures is None:
        return numbers
    brain = sample[_on_sample(measures.brain, prepared)]
    if brain.size == 0:
        return numbers
    deep = sample[_on_sample(binary_erosion(measures.brain), prepared) & ~rim]
    return numbers | {
        "zeros inside the brain": float((deep == canonical.data.min()).mean()) if deep.size else 0.0,
        "clipped voxels of the brain": clipped_share(brain, above=float(np.median(brain))),
        "values in the brain": float(len(np.unique(brain))),
    }


def _on_sample(mask: NDArray[np.bool_], prepared: Prepared) -> NDArray[np.bool_]:
    """Return a mask of the network grid at the native voxels that are looked at, nearest neighbour."""
    nearest = [matrix[::SAMPLE_STEP].argmax(axis=1) for matrix in prepared.to_native]
    return np.asarray(mask[np.ix_(*nearest)])


def _known_style(score: float | None) -> Check:
    """Say how far a style of features is from those that were learned from, or that it cannot be told."""
    limits = LIMITS_BY_NAME[KNOWN_STYLE]
    if score is not None:
        return limits.check(score)
    unknown = "no score: the weights do not know the styles of their training scans"
    hint = "add these with python -m hail_mri.apps.known_styles"
    return replace(limits.check(0.0), verdict="check", found=unknown, hint=hint)


def _zero_point(prepared: Prepared) -> Check:
    """Say whether the zero point could be read."""
    how = {
        "air": "read from the air",
        "background": "the constant background",
        "assumed": "taken to be 0",
        "guessed": "guessed from the darkest tissue",
    }[prepared.zero_origin]
    verdict: Verdict = "ok" if prepared.zero_origin in ("air", "background") else "check"
    hint = "no dark air is in view, or the background holds no intensity: dark tissue is less certain"
    return Check(ZERO_POINT, verdict, f"{prepared.scale.low:.4g}, {how}", "air or a constant background", hint)
