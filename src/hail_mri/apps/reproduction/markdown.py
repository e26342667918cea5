"""Tables of a reproduction as Markdown: in the paper's form, beside the published one, and of all methods."""

from collections.abc import Mapping, Sequence

import pandas as pd

from hail_mri.apps.reproduction.paper_form import ROWS, SEEN_AVERAGE, UNSEEN_AVERAGE, printed
from hail_mri.apps.reproduction.published import METRICS, SEEN, UNSEEN, Cell, Cells
from hail_mri.evaluation.label_schemes import GREY_MATTER, WHITE_MATTER
from hail_mri.evaluation.markdown import markdown_table
from hail_mri.evaluation.pair_measures import IMAGE
from hail_mri.evaluation.signed_rank import SIGNIFICANT, star
from hail_mri.evaluation.structure_measures import BRAIN, HEAD
from hail_mri.provenance.tables import NO_VALUE

# What the paper left out, and what it did not: heading, metric and region, digits.
COLUMNS = (
    ("nWD(i,p) %", "nWD(i,p)", HEAD, 1),
    ("nWD(t,p) %", "nWD(t,p)", HEAD, 1),
    ("nWD(i,p) image %", "nWD(i,p)", IMAGE, 1),
    ("nWD(t,p) image %", "nWD(t,p)", IMAGE, 1),
    ("nWD(t,p) grey %", "nWD(t,p)", GREY_MATTER, 1),
    ("nWD(t,p) white %", "nWD(t,p)", WHITE_MATTER, 1),
    ("rAVD(GM) %", "rAVD", GREY_MATTER, 1),
    ("rAVD(WM) %", "rAVD", WHITE_MATTER, 1),
    ("PSNR brain dB", "PSNR", BRAIN, 2),
    ("SSIM brain", "SSIM", BRAIN, 3),
    ("edge agreement", "edge agreement", HEAD, 3),
    ("monotonicity", "monotonicity", HEAD, 3),
)


def paper_table(tables: Mapping[str, Mapping[str, Cells]], names: Sequence[str]) -> str:
    """Return a table in the paper's form: a direction a row, and the named methods under each metric.

    Parameters
    ----------
    tables : mapping of str to mapping
        By method, those without numbers left out: what `with_averages` returns.
    names : sequence of str
        Of the methods, from left to right.
    """
    headings = [f"{metric}<br>{name}" for metric in METRICS for name in names]
    rows = []
    for row in ROWS:
        found = [tables[name][row][n] if name in tables else None for n in range(len(METRICS)) for name in names]
        rows.append([row, *(_text(cell) for cell in found)])
    return markdown_table(["sites", *headings], rows)


def beside_published(
    ours: Mapping[str, Mapping[str, Cells]], published: Mapping[str, Mapping[str, Cells]], names: Sequence[str]
) -> str:
    """Return means alone: of each metric and method ours and the published one.

    Parameters
    ----------
    ours, published : mapping of str to mapping
        As for `paper_table`.
    names : sequence of str
        Of the methods, from left to right.
    """
    headings = [f"{metric}<br>{name}: ours / paper" for metric in METRICS for name in names]
    rows = []
    for row in ROWS:
        cells = [
            " / ".join(_mean(tables[name][row][n] if name in tables else None) for tables in (ours, published))
            for n in range(len(METRICS))
            for name in names
        ]
        rows.append([row, *cells])
    return markdown_table(["sites", *headings], rows)


def all_methods(scores: pd.DataFrame, methods: Sequence[str], group: str) -> str:
    """Return a table of all methods: means of the means of seen or unseen directions.

    Parameters
    ----------
    scores : DataFrame
        As of `scores_of`.
    methods : sequence of str
        From top to bottom; those without numbers have cells that say so.
    group : str
        `SEEN_AVERAGE` or `UNSEEN_AVERAGE`.
    """
    directions = {SEEN_AVERAGE: SEEN, UNSEEN_AVERAGE: UNSEEN}[group]
    here = scores[scores["direction"].isin(directions)]
    means = here.groupby(["method", "metric", "region", "direction"])["value"].mean()
    means = means.groupby(["method", "metric", "region"]).agg(["mean", "size"])
    found = {key: float(mean) for key, mean, size in means.itertuples() if size == len(directions)}
    rows = [
        [method, *(_number(found.get((method, metric, region)), digits) for _, metric, region, digits in COLUMNS)]
        for method in methods
    ]
    return markdown_table(["method", *(heading for heading, *_ in COLUMNS)], rows)


def _text(cell: Cell | None) -> str:
    """Return a cell as the paper prints it: mean ± standard deviation, and a star."""
    if cell is None:
        return NO_VALUE
    deviation = "" if cell.deviation is None else f" ± {cell.deviation:.2f}"
    return f"{_mean(cell)}{deviation}{star(SIGNIFICANT) if cell.starred else ''}"


def _mean(cell: Cell | None) -> str:
    """Return the mean of a cell."""
    return NO_VALUE if cell is None else printed(cell.mean)


def _number(value: float | None, digits: int) -> str:
    """Return a number with so many digits."""
    return NO_VALUE if value is None else f"{value:.{digits}f}"
