"""The section of lesions: their outline in source and result, and whether they are still what they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.evaluation.lesions import LesionChange, lesion_change
from hail_mri.evaluation.measurement import Measurement
from hail_mri.image.marked_region import REACH
from hail_mri.image.mask import MASK_THRESHOLD
from hail_mri.report.blocks import Text, definitions, paragraph, picture_grid
from hail_mri.report.page import Section
from hail_mri.report.planes import ORIENTATION, PLANES, Place, as_picture, grey, outlined, slice_at
from hail_mri.report.scan_view import ScanView
from hail_mri.report.trust import Concern

MARGIN = REACH + 4.0  # mm around the lesions, in which they are measured
MOST_VOLUME_CHANGE = 2.0  # percent
ML_PER_MM3 = 1e-3
FIELD, PIXEL = (110.0, 110.0, 110.0), 0.6  # mm
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
    change = _measured(source, result, lesion)
    parts, n_parts = ndimage.label(lesion)
    millilitres = np.count_nonzero(lesion) * float(np.prod(source.volume.spacing)) * ML_PER_MM3
    numbers: dict[str, Text] = {
        "in the mask": f"{n_parts} lesion{'s' if n_parts != 1 else ''}, {millilitres:.2f} ml",
        "contrast-to-noise": f"{_text(change.contrast_before)} before, {_text(change.contrast_after)} after",
        "volume found": f"{_text(change.volume, '%')} of that in the source",
        "overlap (Dice)": _text(change.overlap),
        "shift of the centre": _text(change.shift, "mm"),
        "sharpness of the edge": f"{_text(change.sharpness, '%')} of that in the source",
    }
    note = (
        "All lesions of the mask are measured together, in source and result, by the intensities of each: what lies on "
        "the lesion's side of the middle between lesion and surround counts as found."
    )
    blocks = [_pictures(source, result, lesion, parts), definitions(numbers), paragraph(note, "soft")]
    return Section("lesions", "Lesions", blocks), _concerns(change)


def _measured(source: ScanView, result: ScanView, lesion: NDArray[np.bool_]) -> LesionChange:
    """Measure the lesions in the box around them: no voxel farther away matters."""
    spacing = source.volume.spacing
    box = []
    for axis, step in enumerate(spacing.tolist()):
        inside = np.flatnonzero(lesion.any(axis=tuple(a for a in range(3) if a != axis)))
        margin = int(np.ceil(MARGIN / step))
        box.append(slice(max(int(inside[0]) - margin, 0), int(inside[-1]) + margin + 1))
    brain = source.region | lesion
    i, j, k = box
    return lesion_change(
        source.volume.data[i, j, k],
        result.volume.data[i, j, k],
        lesion=lesion[i, j, k],
        brain=brain[i, j, k],
        spacing=spacing,
    )


def _pictures(source: ScanView, result: ScanView, lesion: NDArray[np.bool_], parts: NDArray[np.int32]) -> Markup:
    """Show both scans through the largest lesion, without and with its outline."""
    largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    within = np.argwhere(parts == largest)
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


def _concerns(change: LesionChange) -> list[Concern]:
    """Return what of a lesion should not have happened."""
    if change.is_reversed:
        return [Concern("fail", "Lesions: the contrast to their surround is reversed.")]
    volume = change.volume.value
    if volume is not None and abs(volume - 100) > MOST_VOLUME_CHANGE:
        limits = f"expected {100 - MOST_VOLUME_CHANGE:g} to {100 + MOST_VOLUME_CHANGE:g} %"
        return [Concern("check", f"Lesions: the volume found is {volume:.1f} % of that in the source, {limits}.")]
    return []


def _text(measured: Measurement, unit: str = "") -> str:
    """Return a number with its unit, or why there is none."""
    return f"n/a ({measured.reason})" if measured.value is None else f"{measured.value:.3g} {unit}".rstrip()
