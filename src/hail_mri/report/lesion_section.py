"""The section of lesions: their outline in source and result, and whether they are still what they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hail_mri.evaluation.lesions import LesionChange, lesion_changes
from hail_mri.evaluation.measurement import Measurement
from hail_mri.image.marked_region import parts_of
from hail_mri.image.mask import MASK_THRESHOLD
from hail_mri.model.tissue_classes import CSF
from hail_mri.report.blocks import Cell, Column, Text, definitions, paragraph, picture_grid, table
from hail_mri.report.page import Section
from hail_mri.report.planes import ORIENTATION, PLANES, Place, as_picture, grey, outlined, slice_at
from hail_mri.report.scan_view import ScanView
from hail_mri.report.trust import Concern

MOST_VOLUME_CHANGE = 2.0  # percent
ML_PER_MM3 = 1e-3
FIELD, PIXEL = (110.0, 110.0, 110.0), 0.6  # mm
MOST_ROWS = 50  # lesions in the table
TABLE = tuple(
    Column(name, is_number=True)
    for name in (
        "lesion",
        "in the mask, ml",
        "contrast-to-noise before",
        "after",
        "volume, %",
        "overlap (Dice)",
        "shift, mm",
        "sharpness of the edge, %",
    )
)
COLUMNS = ("source", "harmonized", "source, outlined", "harmonized, outlined")
CAPTION = (
    "Through the largest lesion; the outline of the mask that was given is yellow and lies just outside of it. "
    f"{ORIENTATION}"
)


def lesion_section(source: ScanView, result: ScanView, lesion: NDArray[np.bool_]) -> tuple[Section, list[Concern]]:
    """
    Return the section, and what speaks against the result.

    Parameters
    ----------
    source, result : ScanView
        On one grid.
    lesion : (I, J, K) array of bool
        Outlined in the source, canonical axes.
    """
    spacing = source.volume.spacing
    before, after = source.volume.data, result.volume.data
    around = source.region if source.labels is None else source.region & (source.labels != CSF)
    changes = list(lesion_changes(before, after, lesions=lesion, brain=around, spacing=spacing))
    voxel = float(np.prod(spacing)) * ML_PER_MM3
    sizes = [voxel * int(np.count_nonzero(inside)) for _, inside in parts_of(lesion, spacing)]
    measured = [change for change in changes if change.volume.value is not None]
    numbers: dict[str, Text] = {
        "in the mask": f"{_lesions(len(sizes))}, {sum(sizes):.2f} ml",
        "measured": f"{len(measured)} of {len(changes)}{_why_not(changes)}",
        "turned over": str(sum(change.is_reversed for change in measured)),
        "not shown by the result": str(sum(change.is_erased for change in measured)),
    }
    note = (
        "Each lesion is measured by itself, in source and result, by the intensities of each: what lies on the "
        "lesion's side of the middle between lesion and surround, brain without fluid, counts as found. Volume and "
        "sharpness are in percent of those in the source."
    )
    blocks = [_pictures(source, result, lesion), definitions(numbers), _table(changes, sizes), paragraph(note, "soft")]
    return Section("lesions", "Lesions", blocks), _concerns(changes)


def _table(changes: Sequence[LesionChange], sizes: Sequence[float]) -> Markup:
    """Return what became of every lesion, the largest first."""
    rows: list[list[Cell | Text]] = []
    for rank, n in enumerate(np.argsort(sizes, kind="stable")[::-1][:MOST_ROWS].tolist(), start=1):
        change = changes[n]
        measured = (change.contrast_before, change.contrast_after, change.volume, change.overlap)
        rows.append([str(rank), f"{sizes[n]:.3g}", *map(_text, (*measured, change.shift, change.sharpness))])
    more = f" (the largest {MOST_ROWS} of {len(sizes)})" if len(sizes) > MOST_ROWS else ""
    return table(f"What became of each lesion, the largest first{more}", TABLE, rows)


def _lesions(number: int) -> str:
    """Return so many lesions."""
    return f"{number} lesion{'s' if number != 1 else ''}"


def _why_not(changes: Sequence[LesionChange]) -> str:
    """Return why some lesions could not be measured, and how many."""
    reasons = Counter(change.volume.reason for change in changes if change.volume.reason)
    return "".join(f"; {_lesions(n)} not: {reason}" for reason, n in sorted(reasons.items()))


def _pictures(source: ScanView, result: ScanView, lesion: NDArray[np.bool_]) -> Markup:
    """Show both scans through the largest lesion, without and with its outline."""
    parts = parts_of(lesion, source.volume.spacing)
    box, inside = max(parts, key=lambda part: int(np.count_nonzero(part[1])))
    within = np.argwhere(inside) + [side.start for side in box]
    nearest = within[np.argmin(((within - within.mean(axis=0)) ** 2).sum(axis=1))]  # a bent lesion may miss its centre
    place = replace(Place.of(nearest.tolist(), source.volume.spacing), field=FIELD, pixel=PIXEL)
    scans = [source.percent(), result.percent()]
    rows = []
    for plane, axis in PLANES.items():
        mask = slice_at(lesion, place, axis, order=0) > MASK_THRESHOLD
        images = [grey(slice_at(percent, place, axis)) for percent in scans]
        images += [outlined(image, mask) for image in images]
        rows.append([as_picture(i, f"lesion, {plane}, {name}") for name, i in zip(COLUMNS, images, strict=True)])
    return picture_grid(COLUMNS, rows, CAPTION)


def _concerns(changes: Sequence[LesionChange]) -> list[Concern]:
    """Return what of a lesion should not have happened."""
    counts = (
        ("fail", "is reversed", sum(change.is_reversed for change in changes)),
        ("fail", "is not shown by the result", sum(change.is_erased for change in changes)),
        ("check", "could not be measured", sum(change.volume.value is None for change in changes)),
    )
    concerns = [Concern(verdict, f"Lesions: {n} of {len(changes)} {what}.") for verdict, what, n in counts if n]
    volumes = [change.volume.value for change in changes if change.volume.value]
    worst = max(volumes, key=lambda volume: abs(volume - 100), default=100.0)
    if abs(worst - 100) > MOST_VOLUME_CHANGE:
        limits = f"expected {100 - MOST_VOLUME_CHANGE:g} to {100 + MOST_VOLUME_CHANGE:g} %"
        concerns.append(Concern("check", f"Lesions: of the worst {worst:.1f} % of its volume is found, {limits}."))
    return concerns


def _text(measured: Measurement) -> str:
    """Return a number, or that there is none."""
    return "n/a" if measured.value is None else f"{measured.value:.3g}"
