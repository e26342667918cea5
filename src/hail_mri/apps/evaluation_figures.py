"""The figures of an evaluation: box plots of the main metrics, histograms by tissue, and slices of a few pairs."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd

from hail_mri.apps.score_tables import long_scores
from hail_mri.apps.scored_line import Scored
from hail_mri.evaluation.group_means import by_direction
from hail_mri.evaluation.pair_scans import Scale, read_pair_scans
from hail_mri.evaluation.score_summary import HEADLINES
from hail_mri.evaluation.site_scans import ProfiledLine, methods_of
from hail_mri.evaluation.tissue_profile import bin_centres
from hail_mri.image.volume import Volume
from hail_mri.provenance.atomic_write import write_folder
from hail_mri.report.box_plots import box_figure
from hail_mri.report.figures import SOURCE, TARGET, comparison_figure
from hail_mri.report.tissue_histograms import Curve, Curves, histogram_figure

FIGURES = "figures"
TRUTH = "truth"
MOST_PAIRS = 4  # that are shown as slices: the first of each direction
MOST_METHODS = 5  # beside each other in one picture
NAME_LETTERS = 24  # of a line of a method's name
UNITS = {
    "units": "intensity: 0 is the zero point of the target, 0.6 its white matter",
    "min-max": "intensity: 0 is the darkest voxel of an image, 1 its brightest",
}
SLICE_UNITS = {"units": "target's units", "min-max": "0 to 1 of each image"}


def draw_figures(scored: Sequence[Scored], output: Path, scale: Scale) -> None:
    """Draw all figures of an evaluation; those that were there are replaced, all or none.

    Parameters
    ----------
    scored : sequence of Scored
    output : Path
        Of the evaluation; figures go into a folder there.
    scale : Scale
        On which intensities were compared.

    Raises
    ------
    UnwritableError
        If they cannot be written.
    """
    shown = [line for line in scored if not line.error]
    if not shown:
        return
    lines = [ProfiledLine(line.row, line.profiles) for line in shown]
    with write_folder(output / FIGURES) as folder:
        _boxes(long_scores(shown), methods_of(lines), folder)
        _histograms(lines, folder, scale)
        _slices(lines, folder, scale)


def _boxes(scores: pd.DataFrame, methods: Sequence[str], folder: Path) -> None:
    """Draw a figure for each main metric that has numbers."""
    for heading, (metric, region) in HEADLINES.items():
        here = scores[(scores["metric"] == metric) & (scores["region"] == region)]
        here = here.assign(value=pd.to_numeric(here["value"], errors="coerce"))
        if not np.isfinite(here["value"]).any():
            continue
        panels = {direction: _by_method(there, methods) for direction, there in by_direction(here)}
        unit = f", {here['unit'].iloc[0]}" if here["unit"].iloc[0] != "1" else ""
        box_figure(panels, folder / f"boxes_{_slug(heading)}", heading=f"{metric}, {region}{unit}")


def _by_method(values: pd.DataFrame, methods: Sequence[str]) -> dict[str, list[float]]:
    """Return the numbers of each method; without a name there is one."""
    named = values["method"].where(values["method"] != "", methods[0])
    return {method: values.loc[named == method, "value"].tolist() for method in methods if (named == method).any()}


def _histograms(lines: Sequence[ProfiledLine], folder: Path, scale: Scale) -> None:
    """Draw a figure for each direction: the mean histogram of its lines, by method and tissue."""
    for number, direction in enumerate(dict.fromkeys(line.row.direction for line in lines), start=1):
        there = [line for line in lines if line.row.direction == direction]
        rows = {name: _mean_curves([line for line in there if line.method == name]) for name in methods_of(there)}
        heading = f"Histograms by tissue, {direction or 'all lines'}: mean of {_told_lines(there)}"
        stem = folder / f"histograms_{number}_{_slug(direction or 'all')}"
        histogram_figure(rows, bin_centres(), stem, heading=heading, unit=UNITS[scale])


def _told_lines(lines: Sequence[ProfiledLine]) -> str:
    """Return how many lines a method has at most, in words."""
    most = max(sum(line.method == name for line in lines) for name in methods_of(lines))
    return f"{most} result{'s' if most > 1 else ''} of each method"


def _mean_curves(lines: Sequence[ProfiledLine]) -> Curves:
    """Average the histograms of lines, each counting alike, by tissue and scan."""
    collected: dict[str, dict[str, list[Curve]]] = {}
    for line in lines:
        for profile in line.profiles:
            counts = np.array(profile.counts, np.float64)
            if counts.sum() > 0:
                of_tissue = collected.setdefault(profile.tissue, {})
                of_tissue.setdefault(profile.scan, []).append(counts / counts.sum())
    return {
        tissue: {scan: np.mean(curves, axis=0) for scan, curves in scans.items()} for tissue, scans in collected.items()
    }


def _slices(lines: Sequence[ProfiledLine], folder: Path, scale: Scale) -> None:
    """Show the first pair of the first directions, with what each method made of it."""
    for number, pair in enumerate(_first_pairs(lines), start=1):
        row = pair[0].row
        title = ", ".join(name for name in (row.subject, row.direction) if name) or row.files["source"].name
        parts = [pair[start : start + MOST_METHODS] for start in range(0, len(pair), MOST_METHODS)]
        for part, some in enumerate(parts, start=1):
            name = f"slices_{number}_{_slug(title)}{f'_part-{part}' if len(parts) > 1 else ''}.png"
            columns = _columns(some, scale)
            unit = SLICE_UNITS[scale]
            comparison_figure(columns, folder / name, title=title, unit=unit, source_in_own_unit=False)


def _first_pairs(lines: Sequence[ProfiledLine]) -> Iterator[list[ProfiledLine]]:
    """Yield the lines of one source and one target for each of the first directions."""
    for direction in list(dict.fromkeys(line.row.direction for line in lines))[:MOST_PAIRS]:
        first = next(line.row for line in lines if line.row.direction == direction)
        ends = (first.files["source"], first.files["target"])
        pair = [line for line in lines if (line.row.files["source"], line.row.files["target"]) == ends]
        yield list({line.method: line for line in pair}.values())


def _columns(lines: Sequence[ProfiledLine], scale: Scale) -> dict[str, Volume]:
    """Read the scans of a pair: source, target, results, truth."""
    columns: dict[str, Volume] = {}
    truth: Volume | None = None
    for line in lines:
        scans = read_pair_scans(line.row, scale)
        columns.setdefault(SOURCE, scans.source)
        columns.setdefault(TARGET, scans.target)
        name = line.method if line.method not in (SOURCE, TARGET, TRUTH) else f"method {line.method}"
        columns[fill(name, NAME_LETTERS)] = scans.harmonized
        truth = scans.truth if truth is None else truth
    return columns if truth is None else columns | {TRUTH: truth}


def _slug(text: str) -> str:
    """Return text as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:60]
