"""Scans harmonized between sites, as in the paper's second figure: input, target and prediction in three planes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask
from hail_mri.provenance.free_paths import require_folder
from hail_mri.report.canvas import new_figure, save_png
from hail_mri.report.figures import ORIENTATION_NOTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INPUT, TARGET = "input", "target"  # the two columns every direction has
PLANES = (("axial", 2), ("sagittal", 0), ("coronal", 1))  # the axis (RAS+) each slice is perpendicular to
INCHES = 1.6  # of a slice
BRIGHTEST = 99.5  # percentile of the head that is shown white


@dataclass(frozen=True)
class _Row:
    """A scan as it is shown: in RAS+, cut through a voxel, white at an intensity."""

    name: str
    volume: Volume
    centre: tuple[int, ...]
    white: float


def directions_figure(directions: Mapping[str, Mapping[str, Volume]], path: Path) -> None:
    """Draw a block of rows for each direction: input, target, predictions; axial, sagittal and coronal slices.

    Parameters
    ----------
    directions : mapping of str to mapping of str to Volume
        By the name to print: "input" in its own unit, "target", and predictions in the target's unit on the input's
        grid, which share the target's grey window.
    path : Path
        The PNG file; one that is there is replaced.

    Raises
    ------
    InputError
        If there is no direction, or one has no input or no target.
    UnwritableError
        If the folder is missing or cannot be written to.

    Notes
    -----
    Input and predictions are cut through the centre of mass of the input's head, the target through that of its own.
    The patient's left is on the left.
    """
    if not directions:
        raise InputError("there is no direction to show")
    require_folder(path.parent)
    blocks = {name: _rows(volumes) for name, volumes in directions.items()}
    n_rows = max(len(rows) for rows in blocks.values())
    figure = new_figure((INCHES * len(PLANES) * len(blocks) + 0.6, INCHES * n_rows + 0.8))
    for block, (name, rows) in zip(figure.subfigures(1, len(blocks), squeeze=False)[0], blocks.items(), strict=True):
        block.suptitle(name, fontsize=11)
        axes = block.subplots(n_rows, len(PLANES), squeeze=False)
        for row, places in zip(rows, axes, strict=False):
            _draw(row, places)
        for ax in axes[len(rows) :].ravel():
            ax.set_axis_off()
        for ax, (plane, _) in zip(axes[0], PLANES, strict=True):
            ax.set_title(plane, fontsize=9)
    figure.supxlabel(ORIENTATION_NOTE, fontsize=8, color="0.35")
    save_png(figure, path)


def _rows(volumes: Mapping[str, Volume]) -> list[_Row]:
    """Turn scans to RAS+, and find where they are cut and what is white."""
    if missing := {INPUT, TARGET} - set(volumes):
        raise InputError(f"the direction has no {' and no '.join(sorted(missing))}")
    turned = {name: to_canonical(volume) for name, volume in volumes.items()}
    heads = {name: head_mask(turned[name]) for name in (INPUT, TARGET)}
    white = {name: float(np.percentile(turned[name].data[heads[name]], BRIGHTEST)) for name in heads}
    rows = []
    for name, volume in turned.items():
        centre = _centre(heads[TARGET if name == TARGET else INPUT])
        rows.append(_Row(name, volume, centre, white[INPUT if name == INPUT else TARGET]))
    return rows


def _centre(head: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the voxel nearest to the head's centre of mass, (i, j, k)."""
    return tuple(round(float(places.mean())) for places in np.nonzero(head))


def _draw(row: _Row, places: Sequence["Axes"]) -> None:
    """Draw the slices of a scan beside each other, up is front or top."""
    for ax, (_, axis) in zip(places, PLANES, strict=True):
        across, up = (a for a in range(3) if a != axis)
        shape, spacing = row.volume.shape, row.volume.spacing
        extent = (0.0, shape[across] * spacing[across], 0.0, shape[up] * spacing[up])
        image = np.take(row.volume.data, row.centre[axis], axis=axis).T
        ax.imshow(image, cmap="gray", vmin=0.0, vmax=row.white, origin="lower", extent=extent, aspect="equal")
        ax.set(xticks=[], yticks=[])
    places[0].set_ylabel(row.name, fontsize=9)
