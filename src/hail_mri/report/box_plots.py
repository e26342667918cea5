"""Box plots of a metric: a panel for each direction, a box for each method, a point for each result."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hail_mri.errors import InputError
from hail_mri.provenance.free_paths import require_folder
from hail_mri.report.canvas import new_figure, save_chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = Mapping[str, Sequence[float]]  # by method

MOST_COLUMNS = 3
PANEL_INCHES, NAME_INCHES, ROW_INCHES = 2.9, 2.0, 0.34
FEWEST_IN_A_BOX = 3  # results; fewer are shown as points alone
SPREAD = 0.22  # of the points of a method, of its row
LINE, FILL, POINT = "#004488", "#BBCCEE", "#BB5566"  # told apart by all eyes (Tol, high contrast)


def box_figure(panels: Mapping[str, Values], stem: Path, *, heading: str) -> None:
    """Draw box plots and write them as PNG and SVG.

    Parameters
    ----------
    panels : mapping of str to mapping of str to sequence of float
        By direction and method; what is not finite is left out, and how many are shown is printed.
    stem : Path
        Of both files, without a suffix.
    heading : str
        Metric, region and unit.

    Raises
    ------
    InputError
        If there is nothing to show.
    UnwritableError
        If the folder is missing or cannot be written to.

    Notes
    -----
    Boxes go from the first to the third quartile, with the median; whiskers reach the last result within 1.5 times
    that distance. All panels have one scale.
    """
    numbers = [number for values in panels.values() for of_method in values.values() for number in of_method]
    if not np.isfinite(numbers).any():
        raise InputError(f"there is no number of {heading} to show")
    require_folder(stem.parent)
    n_columns = min(len(panels), MOST_COLUMNS)
    n_rows = math.ceil(len(panels) / n_columns)
    methods = list(dict.fromkeys(method for values in panels.values() for method in values))
    size = (NAME_INCHES + PANEL_INCHES * n_columns, n_rows * (0.7 + ROW_INCHES * len(methods)) + 0.6)
    figure = new_figure(size)
    figure.suptitle(heading, fontsize=11)
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True)
    for ax, (direction, values) in zip(axes.flat, panels.items(), strict=False):
        _draw(ax, values, methods)
        ax.set_title(direction, fontsize=9)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    save_chart(figure, stem)


def _draw(ax: "Axes", values: Values, methods: Sequence[str]) -> None:
    """Draw the methods below each other, the first on top."""
    for row, method in enumerate(methods):
        given = np.asarray(values.get(method, ()), np.float64)
        shown = given[np.isfinite(given)]
        if shown.size >= FEWEST_IN_A_BOX:
            ax.boxplot(
                [shown],
                positions=[row],
                orientation="horizontal",
                widths=0.6,
                showfliers=False,  # all results are drawn as points
                patch_artist=True,
                boxprops={"facecolor": FILL, "edgecolor": LINE},
                medianprops={"color": LINE, "linewidth": 2},
                whiskerprops={"color": LINE},
                capprops={"color": LINE},
            )
        # In the order of the table, from the upper to the lower edge: points that would hide each other do not.
        places = row + (np.linspace(-SPREAD, SPREAD, shown.size) if shown.size > 1 else np.zeros(shown.size))
        ax.plot(shown, places, "o", color=POINT, markersize=3, alpha=0.8, markeredgewidth=0)
        if shown.size < given.size:
            note = f"{shown.size} of {given.size}"
            ax.text(0.99, row - 0.3, note, transform=ax.get_yaxis_transform(), fontsize=6, ha="right", va="center")
    ax.set_yticks(range(len(methods)), methods, fontsize=8)
    ax.set_ylim(len(methods) - 0.5, -0.5)
    ax.tick_params(axis="x", labelsize=8, labelbottom=True)
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
