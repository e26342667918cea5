"""Checks before trust: whether a scan is one that the model can be believed on.

Wrong input that works is the worst kind. What the tissue map cannot explain, and what the voxels themselves show, is
measured and held against limits. Within the first pair of limits a scan is *ok*; beyond them it is worth a look
(*check*); beyond the second pair the result would mean nothing (*fail*).

Left and right cannot be told apart: heads are nearly symmetric.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hail_mri.harmonize.check import Check, Verdict
from hail_mri.harmonize.style_model import Reading, Style
from hail_mri.harmonize.tissue_model import TissueReading
from hail_mri.model.map_measures import MapMeasures
from hail_mri.model.tissue_classes import BACKGROUND, BRAIN, CSF, GREY_MATTER, WHITE_MATTER
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.preprocess.prepare import Prepared

SAMPLE_STEP = 2  # along each axis: every eighth voxel shows how many are clipped, or 0
BRAIN_ALONE = 0.7  # of all tissue; 0.83 to 0.85 in stripped scans, 0.32 to 0.53 in whole and cut heads
INFINITE = math.inf


@dataclass(frozen=True)
class Limits:
    """Between which numbers a scan is ok, and between which it is usable at all.

    The numbers of 69 real scans (whole, stripped and cut; healthy, MS and stroke) and of simulated wrong ones are in
    `docs/checks.md`.
    """

    name: str
    unit: str
    ok: tuple[float, float]
    usable: tuple[float, float]
    hint: str


LIMITS = (
    Limits(
        "grey matter / white matter",
        "",
        (0.40, 0.93),
        (0.25, 1.0),
        "in a T1-weighted scan white matter is brighter than grey matter, except in infants",
    ),
    Limits("fluid / grey matter", "", (-0.5, 0.85), (-INFINITE, 1.0), "in a T1-weighted scan fluid is dark"),
    Limits("familiarity", "", (0.74, 1.0), (0.715, 1.0), "the scan is unlike all that the model knows"),
    Limits("unexplained intensity", "of white matter", (0.0, 0.1), (0.0, 0.25), "tissues do not explain the scan"),
    Limits("white matter in the brain", "of its volume", (0.18, 0.6), (0.08, 0.8), "little of it was recognized"),
    Limits(
        "brain volume", "ml", (900.0, 2000.0), (250.0, 3000.0), "is the voxel size right, and all of the brain in view?"
    ),
    Limits("head size", "mm", (90.0, 300.0), (60.0, 400.0), "is the voxel size right?"),
    Limits("brain width / length", "", (0.5, 0.95), (0.0, 1.05), "are the axes of the header right?"),
    Limits("brain stem above the brain's middle", "mm", (-INFINITE, -15.0), (-INFINITE, 0.0), "is it upside down?"),
    Limits("eyes before the brain's middle", "mm", (20.0, INFINITE), (0.0, INFINITE), "are front and back exchanged?"),
    Limits("brain lower behind than in front", "mm", (0.0, 90.0), (-15.0, INFINITE), "are front and back exchanged?"),
    Limits("brain cut by the field of view", "cm²", (0.0, 20.0), (0.0, INFINITE), "a part of the brain is not in view"),
    Limits("zeros inside the head", "of its voxels", (0.0, 0.05), (0.0, 0.3), "were dark voxels cut off?"),
    Limits("brain at the largest value", "of its voxels", (0.0, 0.002), (0.0, 0.2), "were bright voxels cut off?"),
    Limits("values in the brain", "", (64.0, INFINITE), (12.0, INFINITE), "was the scan saved with too few levels?"),
    Limits("slice thickness", "mm", (0.0, 3.5), (0.0, 10.0), "details between slices are lost"),
)
_LIMITS = {limits.name: limits for limits in LIMITS}
ZERO_POINT = "intensity of no signal"


def check_reading(reading: Reading[Any]) -> tuple[Check, ...]:
    """
    Check a scan that a model has read.

    Parameters
    ----------
    reading : Reading

    Returns
    -------
    checks : tuple of Check
        Those of the voxels for any model; those of the tissues for a tissue model.
    """
    if isinstance(reading, TissueReading):
        numbers = {**_of_tissues(reading), **_of_voxels(reading.prepared, reading.measures)}
    else:
        numbers = _of_voxels(reading.prepared, None)
    return (*(_judged(name, number) for name, number in numbers.items()), _zero_point(reading.prepared))


def check_pair(source: Style, target: Style) -> tuple[Check, ...]:
    """
    Check whether two scans show the same: a whole head, or a brain alone.

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
    return (Check("skull-stripped", verdict, found, "both or neither", hint),)


def _is_brain_alone(style: TissueStyle) -> bool:
    """Return whether there is next to nothing in a scan but a brain."""
    brain = sum(style.fractions[k] for k in BRAIN)
    return brain > BRAIN_ALONE * (1 - style.fractions[BACKGROUND])


def _of_tissues(reading: TissueReading) -> Mapping[str, float]:
    """Return what the tissue map tells."""
    measures = reading.measures
    if measures is None:
        return {"brain volume": 0.0}
    means = reading.style.means
    white = max(means[WHITE_MATTER], 1e-6)
    numbers = {
        "grey matter / white matter": means[GREY_MATTER] / white,
        "fluid / grey matter": means[CSF] / max(means[GREY_MATTER], 1e-6),
        "familiarity": measures.confidence,
        "unexplained intensity": reading.unexplained,
        "white matter in the brain": measures.white_matter_fraction,
        "brain volume": measures.brain_volume,
        "brain width / length": measures.width_to_length,
        "brain stem above the brain's middle": measures.stem_height,
        "eyes before the brain's middle": measures.eye_position,
        "brain lower behind than in front": measures.lower_behind,
        "brain cut by the field of view": measures.cut_area,
    }
    return {name: number for name, number in numbers.items() if number is not None}


def _of_voxels(prepared: Prepared, measures: MapMeasures | None) -> dict[str, float]:
    """Return what the voxels tell, whatever they are of."""
    canonical = prepared.canonical
    step = (slice(None, None, SAMPLE_STEP),) * 3
    inside = prepared.head[step]
    sample = canonical.data[step]
    largest = canonical.data.max()
    brain = sample[inside] if measures is None else sample[_on_native(measures.brain, prepared)[step]]
    extent = [np.ptp(np.flatnonzero((prepared.weight > 0.5).any(axis=axes))) for axes in ((1, 2), (0, 2), (0, 1))]
    return {
        "head size": float(max(extent) + 1) * float(prepared.grid.spacing[0]),
        "zeros inside the head": float((sample[inside] == prepared.scale.low).mean()),
        "brain at the largest value": float((brain == largest).mean()) if brain.size > 1 else 0.0,
        "values in the brain": float(len(np.unique(brain))),
        "slice thickness": float(max(canonical.spacing)),
    }


def _on_native(mask: np.ndarray, prepared: Prepared) -> np.ndarray:
    """Return a mask of the network grid on the native one, nearest neighbour."""
    nearest = [matrix.argmax(axis=1) for matrix in prepared.to_native]
    return np.asarray(mask[np.ix_(*nearest)])


def _judged(name: str, number: float) -> Check:
    """Hold a number against its limits."""
    limits = _LIMITS[name]
    verdict: Verdict = "fail"
    if limits.ok[0] <= number <= limits.ok[1]:
        verdict = "ok"
    elif limits.usable[0] <= number <= limits.usable[1]:
        verdict = "check"
    found = f"{number:.4g} {limits.unit}".rstrip()
    return Check(name, verdict, found, _range(*limits.ok), limits.hint)


def _range(low: float, high: float) -> str:
    """Say between which numbers."""
    if math.isinf(low):
        return f"at most {high:g}"
    return f"at least {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"


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
