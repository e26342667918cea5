"""Histograms by tissue of a source, a target and a result, on the scale of percent of white matter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from hail_mri.report.blocks import Cell, Column, Text, figure, side_by_side, table
from hail_mri.report.scan_view import ScanView
from hail_mri.report.svg_chart import Line, Marker, legend, line_chart

RANGE = (-10.0, 160.0)  # percent of white matter
N_BINS = 170
SMOOTHING = 1.2  # bins, at least
SMOOTHED_STEPS = 0.8  # standard deviation, in steps between two values: whole numbers, rescaled, would make combs
LABEL = "percent of white matter"
SERIES = {"source": 1, "target": 2, "harmonized": 3}


@dataclass(frozen=True)
class TissueCounts:
    """How the intensities of a tissue are distributed.

    Attributes
    ----------
    density : (N_BINS,) array of float or None
        Share of the voxels in each bin; None where only the median is known, as from a style card.
    median : float
        Percent of white matter.
    """

    density: NDArray[np.floating] | None
    median: float


def count_tissues(view: ScanView) -> dict[str, TissueCounts]:
    """Return the distribution of each tissue of a scan."""
    percent = view.percent()
    counts = {}
    for name, mask in view.tissues().items():
        values = percent[mask]
        density = np.histogram(values, N_BINS, RANGE)[0] / values.size
        smooth = max(SMOOTHING, SMOOTHED_STEPS * _step(values) * N_BINS / (RANGE[1] - RANGE[0]))
        counts[name] = TissueCounts(gaussian_filter1d(density, smooth, mode="constant"), float(np.median(values)))
    return counts


def histogram_charts(scans: Mapping[str, Mapping[str, TissueCounts]]) -> Sequence[Markup]:
    """
    Return a chart for each tissue, with a legend.

    Parameters
    ----------
    scans : mapping of str to mapping of str to TissueCounts
        By the name of the scan (source, target, harmonized) and the tissue.
    """
    names = dict.fromkeys(name for counts in scans.values() for name in counts)
    charts = [figure(_chart(name, scans), name.capitalize()) for name in names]
    return [legend([(SERIES[scan], scan) for scan in scans]), side_by_side(charts, "charts")]


def medians_table(scans: Mapping[str, Mapping[str, TissueCounts]]) -> Markup:
    """Return the medians of the tissues as a table; parameters as of `histogram_charts`."""
    names = dict.fromkeys(name for counts in scans.values() for name in counts)
    rows: list[list[Cell | Text]] = [
        [name, *(_median(counts[name]) if name in counts else "n/a" for counts in scans.values())] for name in names
    ]
    columns = [Column("tissue"), *(Column(scan, is_number=True) for scan in scans)]
    return table("Median of each tissue, percent of white matter", columns, rows, sortable=False)


def _step(values: NDArray[np.floating]) -> float:
    """Return how far apart neighbouring values of a scan are: 0 if it has as good as any."""
    different = np.unique(values)
    return float(np.median(np.diff(different))) if different.size > 1 else 0.0


def _median(counts: TissueCounts) -> Cell:
    """Return a cell with a median."""
    return Cell(f"{counts.median:.1f}", counts.median)


def _chart(name: str, scans: Mapping[str, Mapping[str, TissueCounts]]) -> Markup:
    """Draw the distribution of one tissue in all scans."""
    edges = np.linspace(*RANGE, N_BINS + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    known = {scan: counts[name] for scan, counts in scans.items() if name in counts}
    lines = [Line(SERIES[s], centres, c.density) for s, c in known.items() if c.density is not None]
    markers = [Marker(SERIES[scan], c.median) for scan, c in known.items() if c.density is None]
    medians = ", ".join(f"{scan} {c.median:.0f}" for scan, c in known.items())
    alt = f"Histogram of {name}. Medians in percent of white matter: {medians}."
    return line_chart(lines, alt=alt, x_label=LABEL, x_limits=RANGE, markers=markers)
