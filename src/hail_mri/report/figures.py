"""The comparison figure: source, target, harmonized and truth beside each other, as one would show them on a slide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.image.orientation import to_canonical
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask
from hail_mri.provenance.free_paths import require_file_free, require_folder
from hail_mri.report.canvas import new_figure, save_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SOURCE, TARGET = "source", "target"  # the two columns every figure has
PLANES = (("axial", 2), ("coronal", 1), ("sagittal", 0))  # rows, and the axis (RAS+) each slice is perpendicular to
ORIENTATION_NOTE = "neurological: the patient's left is on the left"
GREY = "gray"  # matplotlib's name
MARGIN = 8.0  # mm of air shown around the head
COLUMN_INCHES, HISTOGRAM_INCHES = 2.4, 1.9
GREY_PERCENTILES = (0.5, 99.5)  # of the head: black and white
DIFFERENCE_PERCENTILE = 99.5  # of the head: the end of the colour bar
HISTOGRAM_BINS = 256
HISTOGRAM_SMOOTHING = 4.0  # bins, standard deviation


@dataclass(frozen=True)
class _Panel:
    """One column: a volume in RAS+, its head, the voxel its slices go through, and its grey window or colour map."""

    name: str
    volume: Volume
    head: NDArray[np.bool_]
    window: tuple[float, float]
    colour_map: str = GREY

    @property
    def centre(self) -> tuple[int, ...]:
        """The voxel nearest to the head's centre of mass, (i, j, k)."""
        counts = [self.head.sum(axis=tuple(a for a in range(3) if a != axis)) for axis in range(3)]
        return tuple(round(float(np.average(np.arange(c.size), weights=c))) for c in counts)

    @property
    def extents(self) -> list[tuple[float, float]]:
        """Where the head begins and ends along each axis, in mm from the edge of the first voxel."""
        used = [np.flatnonzero(self.head.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
        return [(u[0] * s, (u[-1] + 1) * s) for u, s in zip(used, self.volume.spacing, strict=True)]


def comparison_figure(
    columns: Mapping[str, Volume | ArrayLike],
    path: str | Path,
    *,
    title: str = "",
    difference: tuple[str, str] | None = None,
    unit: str = "target units",
    source_in_own_unit: bool = True,
    overwrite: bool = False,
) -> None:
    """Show scans beside each other in three planes, with their histograms, and write the picture.

    Parameters
    ----------
    columns : mapping of str to Volume or (I, J, K) array-like
        From left to right, with the names to print. One is "source", in its own unit; one is "target"; all but the
        source are in the target's unit and share its grey window. Arrays are on the source's grid.
    path : str or Path
        The PNG file.
    title : str
        Printed on top.
    difference : pair of str, optional
        Names of two columns on the source's grid, such as ``("harmonized", "truth")``: a last column shows their
        absolute difference in the head, with a colour bar.
    unit : str
        Name of the target's unit at the colour bar and under the histograms.
    source_in_own_unit : bool
        Whether the source has yet to be rescaled to the target's unit, for its histogram.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError
        If there is no source or no target, an array does not fit the source, or a column of the difference does not.
    OutputExistsError
        If the file exists and `overwrite` is not set.
    UnwritableError
        If the folder is missing or cannot be written to.

    Notes
    -----
    Scans on the source's grid are cut through the centre of mass of the source's head, others through their own. All
    panels have one scale in mm, whatever the spacing; oblique scans are shown along their own axes. The histograms are
    of the heads, the source's after robust rescaling to the target's unit, unless it is in that unit already.
    """
    path = Path(path)
    _check_place(path, overwrite=overwrite)
    panels = _panels(columns)
    shown = [*panels, _difference_panel(panels, difference)] if difference else panels
    figure = _drawn(shown, title, unit)
    _histograms(figure.axes[-1], panels, unit, source_in_own_unit=source_in_own_unit)
    save_png(figure, path)


def _panels(columns: Mapping[str, Volume | ArrayLike]) -> list[_Panel]:
    """Turn the columns to RAS+, find their heads and set their windows."""
    missing = {SOURCE, TARGET} - set(columns)
    if missing:
        raise InputError(f"the figure has no column named {' or '.join(sorted(missing))}")
    source = columns[SOURCE]
    if not isinstance(source, Volume):
        raise InputError("the column named source must be a volume: its grid is that of the arrays")
    volumes = {name: c if isinstance(c, Volume) else source.with_data(np.asarray(c)) for name, c in columns.items()}
    turned = {name: to_canonical(volume) for name, volume in volumes.items()}
    heads = {name: head_mask(turned[name]) for name in (SOURCE, TARGET)}
    windows = {name: _window(turned[name], heads[name]) for name in (SOURCE, TARGET)}
    panels = []
    for name, volume in turned.items():
        if name not in heads:
            heads[name] = heads[SOURCE] if volume.grid.is_close(turned[SOURCE].grid) else head_mask(volume)
        panels.append(_Panel(name, volume, heads[name], windows[SOURCE if name == SOURCE else TARGET]))
    return panels


def _window(volume: Volume, head: NDArray[np.bool_]) -> tuple[float, float]:
    """Find what is shown black and what white."""
    low, high = np.percentile(volume.data[head], GREY_PERCENTILES)
    return min(float(low), 0.0), float(high)


def _difference_panel(panels: Sequence[_Panel], names: tuple[str, str]) -> _Panel:
    """Make the column of absolute differences."""
    by_name = {panel.name: panel for panel in panels}
    if any(name not in by_name for name in names):
        raise InputError(f"no difference of {names[0]} and {names[1]}: the columns are {', '.join(by_name)}")
    first, second = (by_name[name].volume for name in names)
    source = by_name[SOURCE]
    if not (first.grid.is_close(source.volume.grid) and second.grid.is_close(source.volume.grid)):
        raise InputError(f"no difference of {names[0]} and {names[1]}: they are not both on the source's grid")
    difference = np.where(source.head, np.abs(first.data - second.data), 0)
    # Equal scans have no difference to scale by: a window of one per cent of the range shows them black.
    smallest = 0.01 * (by_name[TARGET].window[1] - by_name[TARGET].window[0])
    top = max(float(np.percentile(difference[source.head], DIFFERENCE_PERCENTILE)), smallest)
    return _Panel(f"|{names[0]} - {names[1]}|", first.with_data(difference), source.head, (0.0, top), "magma")


def _drawn(panels: Sequence[_Panel], title: str, unit: str) -> "Figure":
    """Lay out the panels at one scale; the last axes of the figure are left for the histograms."""
    # In mm along x, y and z: every head fits in.
    sizes = [max(p.extents[axis][1] - p.extents[axis][0] for p in panels) + 2 * MARGIN for axis in range(3)]
    width = max(sizes[0], sizes[1])
    heights = [sizes[1 if axis == 2 else 2] for _, axis in PLANES]
    inches = [height * COLUMN_INCHES / width for height in heights] + [HISTOGRAM_INCHES]
    figure = new_figure((COLUMN_INCHES * len(panels) + 1.1, sum(inches) + 1.3))
    grid = figure.add_gridspec(len(inches), len(panels), height_ratios=inches)
    rows = []
    for row, (_, axis) in enumerate(PLANES):
        rows.append([figure.add_subplot(grid[row, column]) for column in range(len(panels))])
        for panel, ax in zip(panels, rows[-1], strict=True):
            _draw_slice(ax, panel, axis, (width, heights[row]))
    _label(rows, panels)
    if panels[-1].colour_map != GREY:
        column = [row[-1] for row in rows]
        figure.colorbar(column[0].images[0], ax=column, label=unit, fraction=0.06, aspect=40)
    figure.suptitle(title, fontsize=13)
    figure.supxlabel(ORIENTATION_NOTE, fontsize=8, color="0.35")
    figure.add_subplot(grid[-1, :])
    return figure


def _label(rows: Sequence[Sequence["Axes"]], panels: Sequence[_Panel]) -> None:
    """Print the planes at the left, the names and grey windows on top."""
    for (plane, _), row in zip(PLANES, rows, strict=True):
        row[0].set_ylabel(plane, fontsize=11)
    for panel, ax in zip(panels, rows[0], strict=True):
        ax.set_title(f"{panel.name}\n{panel.window[0]:.4g} to {panel.window[1]:.4g}", fontsize=10)


def _draw_slice(ax: "Axes", panel: _Panel, axis: int, size: tuple[float, float]) -> None:
    """Draw one slice with the middle of the head in the middle of the panel, up is front or top."""
    across, up = (a for a in range(3) if a != axis)
    shape, spacing = panel.volume.shape, panel.volume.spacing
    extent = (0.0, shape[across] * spacing[across], 0.0, shape[up] * spacing[up])
    image = np.take(panel.volume.data, panel.centre[axis], axis=axis).T
    low, high = panel.window
    ax.imshow(image, cmap=panel.colour_map, vmin=low, vmax=high, origin="lower", extent=extent, aspect="equal")
    for setter, a, length in ((ax.set_xlim, across, size[0]), (ax.set_ylim, up, size[1])):
        middle = sum(panel.extents[a]) / 2
        setter(middle - length / 2, middle + length / 2)
    ax.set(xticks=[], yticks=[], facecolor="black")
    left, right = ("P", "A") if axis == 0 else ("L", "R")
    for x, letter, side in ((0.03, left, "left"), (0.97, right, "right")):
        ax.text(x, 0.5, letter, color="0.75", fontsize=7, ha=side, va="center", transform=ax.transAxes)


def _histograms(ax: "Axes", panels: Sequence[_Panel], unit: str, *, source_in_own_unit: bool) -> None:
    """Draw the distributions of intensities in the heads, all in the target's unit."""
    from scipy.ndimage import gaussian_filter1d

    scales = {p.name: LinearScale.from_percentiles(p.volume.data, p.head) for p in panels if p.name in (SOURCE, TARGET)}
    low, high = next(p.window for p in panels if p.name == TARGET)
    edges = np.linspace(low, low + 1.15 * (high - low), HISTOGRAM_BINS + 1)
    tallest = 0.0
    for panel in panels:
        values, label = panel.volume.data[panel.head], panel.name
        if panel.name == SOURCE and source_in_own_unit:
            values, label = scales[TARGET].invert(scales[SOURCE].apply(values)), "source, rescaled"
        # Whole numbers, rescaled, fall between the bins in combs: smoothing shows the tissues behind.
        density = gaussian_filter1d(np.histogram(values, edges)[0] / values.size, HISTOGRAM_SMOOTHING)
        tallest = max(tallest, float(density[HISTOGRAM_BINS // 10 :].max()))
        style = {"color": "0.15", "linewidth": 2.4} if panel.name == TARGET else {"linewidth": 1.2}
        ax.plot((edges[1:] + edges[:-1]) / 2, density, label=label, **style)
    # The dark end, air and bone, may tower above the tissues: it is cut off.
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.15 * tallest), yticks=[])
    ax.set(xlabel=f"intensity in the head ({unit})", ylabel="smoothed density")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)


def _check_place(path: Path, *, overwrite: bool) -> None:
    """Refuse before any work where the picture cannot go."""
    if path.suffix.lower() != ".png":
        raise InputError(f"{path} is no PNG file by its name", hint="give a name that ends in .png")
    require_folder(path.parent)
    require_file_free(path, overwrite=overwrite)
