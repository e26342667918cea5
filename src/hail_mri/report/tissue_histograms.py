"""Histograms by tissue: source, target, harmonized and truth over each other, a method a row and a tissue a column."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.provenance.free_paths import require_folder
from hail_mri.report.canvas import new_figure, save_chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curve = NDArray[np.float64]
Curves = Mapping[str, Mapping[str, Curve]]  # by tissue and scan

PANEL_INCHES = (2.5, 1.35)  # width, height
NAME_INCHES = 1.2
STYLES = {  # in the order of drawing; told apart without colours, too
    "source": {"color": "#DDAA33", "linestyle": "--", "linewidth": 1.4},
    "target": {"color": "black", "linestyle": "-", "linewidth": 2.2},
    "truth": {"color": "#BB5566", "linestyle": ":", "linewidth": 1.8},
    "harmonized": {"color": "#004488", "linestyle": "-", "linewidth": 1.3},
}
SMOOTHING = 1.0  # bins, standard deviation: whole numbers that were rescaled fall between bins in combs
SHOWN = 0.001  # of a tissue may lie beyond either end of the axis
TAIL = 0.04  # of the bins at the dark end do not set the height: air and bone tower above the rest


def histogram_figure(rows: Mapping[str, Curves], centres: Curve, stem: Path, *, heading: str, unit: str) -> None:
    """Draw histograms and write them as PNG and SVG.

    Parameters
    ----------
    rows : mapping of str to mapping
        By method; then by tissue and scan (source, target, harmonized, truth) the share of voxels in each bin.
    centres : (n,) array of float
        The middle of each bin.
    stem : Path
        Of both files, without a suffix.
    heading : str
    unit : str
        Of the intensities, at the axis.

    Raises
    ------
    InputError
        If there is no histogram.
    UnwritableError
        If the folder is missing or cannot be written to.
    """
    tissues = list(dict.fromkeys(tissue for curves in rows.values() for tissue in curves))
    if not tissues:
        raise InputError("there is no histogram to show")
    require_folder(stem.parent)
    width, height = PANEL_INCHES
    figure = new_figure((NAME_INCHES + width * len(tissues), height * len(rows) + 1.3))
    axes = figure.subplots(len(rows), len(tissues), squeeze=False, sharex="col", sharey="col")
    for row, (method, curves) in zip(axes, rows.items(), strict=True):
        row[0].set_ylabel(_wrapped(method), fontsize=8, rotation=0, ha="right", va="center")
        for ax, tissue in zip(row, tissues, strict=True):
            _draw(ax, curves.get(tissue, {}), centres)
    for column, tissue in enumerate(tissues):
        axes[0][column].set_title(tissue, fontsize=9)
        of_tissue = [curve for curves in rows.values() for curve in curves.get(tissue, {}).values()]
        _set_limits(axes[0][column], of_tissue, centres)
    figure.suptitle(heading, fontsize=11)
    figure.supxlabel(unit, fontsize=8)
    handles = {line.get_label(): line for ax in axes.flat for line in ax.lines}
    names = [name for name in STYLES if name in handles]
    figure.legend(
        [handles[name] for name in names], names, loc="outside lower right", ncols=4, frameon=False, fontsize=8
    )
    save_chart(figure, stem)


def _draw(ax: "Axes", curves: Mapping[str, Curve], centres: Curve) -> None:
    """Draw the scans of one method and tissue over each other."""
    for scan, style in STYLES.items():
        if scan in curves:
            ax.plot(centres, _smoothed(curves[scan]), label=scan, **style)  # type: ignore[arg-type]
    ax.set_yticks([])
    ax.tick_params(axis="x", labelsize=7)
    ax.spines[["top", "right", "left"]].set_visible(False)


def _smoothed(curve: Curve) -> Curve:
    """Smooth a histogram a little."""
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(curve, SMOOTHING, mode="constant"))


def _set_limits(ax: "Axes", curves: Sequence[Curve], centres: Curve) -> None:
    """Show where the voxels are, and leave out how high the dark end is."""
    if not curves:
        return
    shares = [np.cumsum(curve) for curve in curves]
    first = min(int(np.searchsorted(share, SHOWN)) for share in shares)
    last = max(min(int(np.searchsorted(share, 1 - SHOWN)), len(centres) - 1) for share in shares)
    start = first + int(TAIL * len(centres))
    tallest = max(float(_smoothed(curve)[start : last + 1].max(initial=0)) for curve in curves)
    ax.set_xlim(centres[first], centres[max(last, first + 1)])
    if tallest > 0:
        ax.set_ylim(0, 1.08 * tallest)


def _wrapped(name: str) -> str:
    """Break a name into lines that fit beside a panel."""
    from textwrap import fill

    return fill(name, 16)
