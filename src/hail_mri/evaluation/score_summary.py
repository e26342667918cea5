"""The numbers of an evaluation, put together as Markdown: means by method and direction, and what groups show."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hail_mri.evaluation.group_means import ADJUSTED, MEAN, NO_METHOD, by_direction
from hail_mri.evaluation.group_number import GroupNumber
from hail_mri.evaluation.group_sections import agreement_section, covariate_section, probe_section
from hail_mri.evaluation.markdown import NOT_AVAILABLE, markdown_table
from hail_mri.evaluation.signed_rank import star

ROUNDED = 9  # digits of a standard deviation: what is less is rounding
MOST_FAILURES = 20  # lines that are named
HEADLINES = {  # column, and what of the long table it shows
    "nWD(i,p) %": ("nWD(i,p)", "head"),
    "nWD(t,p) %": ("nWD(t,p)", "head"),
    "nWD(t,p) grey %": ("nWD(t,p)", "grey matter"),
    "nWD(t,p) white %": ("nWD(t,p)", "white matter"),
    "rAVD grey %": ("rAVD", "grey matter"),
    "rAVD white %": ("rAVD", "white matter"),
    "rAVD floor grey %": ("rAVD floor", "grey matter"),
    "rAVD floor white %": ("rAVD floor", "white matter"),
    "PSNR brain dB": ("PSNR", "brain"),
    "SSIM brain": ("SSIM", "brain"),
    "edge agreement": ("edge agreement", "head"),
    "monotonicity": ("monotonicity", "head"),
    "lost, head ml": ("lost structures", "head"),
    "appeared, head ml": ("appeared structures", "head"),
    "lesion CNR before": ("contrast-to-noise before", "lesion"),
    "lesion CNR after": ("contrast-to-noise after", "lesion"),
    "lesions reversed, share": ("lesions reversed", "lesion"),
    "lesions not shown, share": ("lesions not shown", "lesion"),
    "lesion volume %": ("volume found", "lesion"),
    "lesion sharpness %": ("edge sharpness", "lesion"),
}


def summarize(scores: pd.DataFrame, lines: pd.DataFrame, groups: Sequence[GroupNumber]) -> str:
    """Write what an evaluation found as Markdown.

    Parameters
    ----------
    scores : DataFrame
        One number a row: line, method, subject, direction, metric, region, value (NaN or None where undefined).
    lines : DataFrame
        One line of the table a row: line, status ("scored" or "failed"), message, segmentation.
    groups : sequence of GroupNumber
        Of `group_means`, `travelling_agreement`, `group_probes` and `covariate_numbers`.

    Returns
    -------
    text : str
        A table for each direction and one for all: a method a row, mean ± standard deviation of each headline metric
        over its lines with the interval of the mean by subject, and in how many it is defined if not in all. A star
        marks a method that differs from the first one of the table by Wilcoxon's signed-rank test over subjects
        (p ≤ 0.05 after Holm's correction over the methods of the column); where lines name no subjects, nothing is
        tested. Then agreement, site probe and covariate, and below the lines that failed.
    """
    failed = lines[lines["status"] == "failed"]
    parts = [f"# Evaluation\n\n{len(lines) - len(failed)} of {len(lines)} lines scored."]
    if found := [text for text in dict.fromkeys(lines["segmentation"]) if text]:
        parts.append(f"Tissues by {'; '.join(found)}.")
    if not scores.empty:
        scores = scores.assign(method=scores["method"].replace("", NO_METHOD))
        known = {(n.group.direction, n.group.method, n.group.metric, n.group.region, n.statistic): n for n in groups}
        parts += [_section(title, there, known) for title, there in by_direction(scores)]
        parts.append(
            "Mean ± standard deviation over lines [95 % interval of the mean, by bootstrap over subjects]. ★: differs "
            "from the first method (Wilcoxon's signed-rank test over subjects, p ≤ 0.05 after Holm's correction). With "
            "fewer than ten subjects such intervals are too narrow, and with fewer than six there can be no star."
        )
        parts += [text for make in (agreement_section, probe_section, covariate_section) if (text := make(groups))]
    if len(failed):
        parts.append(_failures(failed))
    return "\n\n".join(parts) + "\n"


_Known = dict[tuple[str, str, str, str, str], GroupNumber]


def _section(title: str, scores: pd.DataFrame, known: _Known) -> str:
    """Return a heading and a table of methods."""
    methods = list(dict.fromkeys(scores["method"]))
    columns = {
        heading: cells for heading, key in HEADLINES.items() if (cells := _column(title, scores, methods, key, known))
    }
    rows = []
    for n, method in enumerate(methods):
        n_lines = scores.loc[scores["method"] == method, "line"].nunique()
        rows.append([method, str(n_lines), *(cells[n] for cells in columns.values())])
    return f"## {title}\n\n{markdown_table(['method', 'lines', *columns], rows)}"


def _column(direction: str, scores: pd.DataFrame, methods: list[str], key: tuple[str, str], known: _Known) -> list[str]:
    """Return a cell for each method; nothing where no method has a number."""
    metric, region = key
    here = scores[(scores["metric"] == metric) & (scores["region"] == region)]
    values = here.assign(value=pd.to_numeric(here["value"], errors="coerce"))
    if not np.isfinite(values["value"]).any():
        return []
    cells = []
    for method in methods:
        of_method = values.loc[values["method"] == method, "value"].to_numpy()
        mean, test = (known.get((direction, method, metric, region, statistic)) for statistic in (MEAN, ADJUSTED))
        cells.append(_mean_and_deviation(of_method) + _interval(mean) + star(test.estimate if test else None))
    return cells


def _mean_and_deviation(values: NDArray[np.float64]) -> str:
    """Return mean ± standard deviation, and of how many where some are undefined."""
    defined = values[np.isfinite(values)]
    if not defined.size:
        return NOT_AVAILABLE
    deviation = f" ± {round(float(defined.std(ddof=1)), ROUNDED):.3g}" if defined.size > 1 else ""
    note = f" ({defined.size} of {values.size})" if defined.size < values.size else ""
    return f"{defined.mean():.4g}{deviation}{note}"


def _interval(mean: GroupNumber | None) -> str:
    """Return the interval of a mean, if it has one."""
    if mean is None or mean.low is None or mean.high is None:
        return ""
    return f" [{mean.low:.4g}, {mean.high:.4g}]"


def _failures(failed: pd.DataFrame) -> str:
    """Return the lines that failed, with their reasons."""
    items = [f"- line {line}: {message}" for line, message in zip(failed["line"], failed["message"], strict=True)]
    more = [f"- and {len(items) - MOST_FAILURES} more: see lines.tsv"] if len(items) > MOST_FAILURES else []
    return "## Not scored\n\n" + "\n".join(items[:MOST_FAILURES] + more)
