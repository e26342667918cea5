"""The picture of one validation sample of a training run: middle slices, always on one grey scale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hail_mri.model.tissue_classes import BACKGROUND, TISSUE_CLASSES
from hail_mri.report.canvas import new_figure, save_png
from hail_mri.training.example import Example

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLANES = (("axial", 2), ("coronal", 1), ("sagittal", 0))  # rows, and the axis (RAS+) each slice is perpendicular to
WHITE = 1.0  # on the [0, 1] scale of `prepare`; white matter is 0.6
PANEL_INCHES = 1.9
COLOURS = "tab20"  # matplotlib's name; one colour a tissue class


def save_example(example: Example, path: Path, title: str) -> NDArray[np.uint8]:
    """Draw an example as PNG; a file that is there is replaced.

    Parameters
    ----------
    example : Example
        At least one scan.
    path : Path
        The PNG file.
    title : str
        Printed on top.

    Returns
    -------
    picture : (height, width, 3) array of uint8

    Raises
    ------
    UnwritableError
        If the picture cannot be written.

    Notes
    -----
    Grey goes from 0 to 1 in all scans and all pictures, so that two pictures of a run can be compared. The window is
    not that of a scan, and the slices are the middle ones of the patch, wherever in the head that is.
    """
    from matplotlib.image import imread

    columns = [*example.scans, *example.labels]
    n_legend = bool(example.labels)
    figure = new_figure((PANEL_INCHES * (len(columns) + n_legend), PANEL_INCHES * len(PLANES) + 0.5))
    figure.suptitle(f"{title}\ngrey from 0 to {WHITE:g} in every scan", fontsize="small")
    axes = figure.subplots(len(PLANES), len(columns), squeeze=False)
    for row, (plane, axis) in zip(axes, PLANES, strict=True):
        row[0].set_ylabel(plane, fontsize="small")
        for ax, name in zip(row, columns, strict=True):
            volume = example.scans[name] if name in example.scans else example.labels[name]
            _show(ax, volume, axis, is_scan=name in example.scans)
    for ax, name in zip(axes[0], columns, strict=True):
        ax.set_title(name, fontsize="x-small")
    if example.labels:
        figure.legend(handles=_handles(example), loc="outside right center", fontsize="xx-small")
    save_png(figure, path)
    return np.round(255 * imread(path)[..., :3]).astype(np.uint8)


def _show(ax: Axes, volume: NDArray[np.generic], axis: int, *, is_scan: bool) -> None:
    """Show the middle slice along an axis, upright."""
    piece = volume.take(volume.shape[axis] // 2, axis=axis).T
    ax.set(xticks=[], yticks=[])
    ax.set_facecolor("black")
    if is_scan:
        ax.imshow(piece, cmap="gray", vmin=0, vmax=WHITE, origin="lower", interpolation="nearest")
    else:
        shown = np.ma.masked_equal(piece, BACKGROUND)
        ax.imshow(shown, cmap=COLOURS, vmin=0, vmax=19, origin="lower", interpolation="nearest")


def _handles(example: Example) -> list[object]:
    """Return the entries of the legend: the classes that are there."""
    from matplotlib import colormaps
    from matplotlib.patches import Patch

    found = sorted({int(label) for labels in example.labels.values() for label in np.unique(labels)} - {BACKGROUND})
    return [Patch(color=colormaps[COLOURS](label), label=TISSUE_CLASSES[label].replace("_", " ")) for label in found]
