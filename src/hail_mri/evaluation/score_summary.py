"""The numbers of an evaluation, put together as Markdown: means by method and direction, and what groups show."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hail_mri.evaluation.group_means import ADJUSTED, MEAN, NO_METHOD, by_direction, common_pairs, n_pairs
from hail_mri.evaluation.group_number import GroupNumber
from hail_mri.evaluation.group_sections import agreement_section, covariate_section, probe_section
from hail_mri.evaluation.markdown import markdown_table
from hail_mri.evaluation.signed_rank import star
from hail_mri.provenance.tables import NO_VALUE

ROUNDED = 9  # digits of a standard deviation: what is less is rounding
INFINITE = "∞"
PARTIAL = "†"  # marks a mean over other pairs than those of all methods
MOST_NAMED = 20  # lines with a message, of a kind
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
        One number a row: line, method, subject, pair, direction, metric, region, value (NaN or None where undefined).
    lines : DataFrame
        One line of the table a row: line, status ("scored" or "failed"), message (why it failed, or what is in doubt),
        segmentation.
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
    doubtful = lines[(lines["status"] != "failed") & (lines["message"] != "")]
    parts = [f"# Evaluation\n\n{len(lines) - len(failed)} of {len(lines)} lines scored."]
    if found := [text for text in dict.fromkeys(lines["segmentation"]) if text]:
        parts.append(f"Tissues by {'; '.join(found)}.")
    if not scores.empty:
        scores = scores.assign(method=scores["method"].replace("", NO_METHOD))
        known = {(n.group.direction, n.group.method, n.group.metric, n.group.region, n.statistic): n for n in groups}
        parts += [_section(title, there, known) for title, there in by_direction(scores)]
        parts.append(
            "Mean ± standard deviation over lines [95 % interval of the mean, by bootstrap over subjects]. ★: differs "
            "from the first method (Wilcoxon's signed-rank test over subjects, p ≤ 0.05 after Holm's correction; of "
            "each subject the pairs of source and target that both have). With fewer than ten subjects such intervals "
            "are too narrow, and with fewer than six there can be no star. (n of m): of n of m pairs there is a "
            f"number. {PARTIAL}: not over the same pairs as another method's, so that the means cannot be put side by "
            "side; those over the pairs of all methods are in groups.tsv. Infinite numbers, as the PSNR of a result "
            "that is the truth, are counted and left out of means; in tests they are larger than any other."
        )
        parts += [text for make in (agreement_section, probe_section, covariate_section) if (text := make(groups))]
    parts += [_named(heading, some) for heading, some in (("In doubt", doubtful), ("Not scored", failed)) if len(some)]
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
    if values["value"].isna().all():
        return []
    common, all_pairs, cells = common_pairs(values), values["pair"].nunique(), []
    is_partial = len(common) < n_pairs(values)
    for method in methods:
        of_method = values[values["method"] == method]
        mean, test = (known.get((direction, method, metric, region, statistic)) for statistic in (MEAN, ADJUSTED))
        notes = _median(of_method, metric) + _missing(of_method, all_pairs) + _infinite(of_method)
        text = _mean_and_deviation(of_method["value"].to_numpy(), notes)
        mark = PARTIAL if is_partial and text != NO_VALUE else ""
        cells.append(text + mark + _interval(mean) + star(test.estimate if test else None))
    return cells


def _median(of_method: pd.DataFrame, metric: str) -> str:
    """Return the median of a metric of which one number may be far off the others, if there are three or more."""
    defined = of_method["value"].dropna()
    return f" (median {defined.median():.4g})" if metric.startswith("nWD") and len(defined) > 2 else ""


def _missing(of_method: pd.DataFrame, all_pairs: int) -> str:
    """Return of how many pairs a method has a number, unless it has one of all."""
    found = n_pairs(of_method)
    return f" ({found} of {all_pairs})" if found < all_pairs else ""


def _infinite(of_method: pd.DataFrame) -> str:
    """Return how many numbers of a method are infinite and not in its mean."""
    n_infinite = int(np.isinf(of_method["value"]).sum())
    return f" ({n_infinite} infinite)" if n_infinite else ""


def _mean_and_deviation(values: NDArray[np.float64], note: str) -> str:
    """Return mean ± standard deviation with a note."""
    defined = values[np.isfinite(values)]
    if not defined.size:
        return INFINITE + note if np.isinf(values).any() else NO_VALUE
    deviation = f" ± {round(float(defined.std(ddof=1)), ROUNDED):.3g}" if defined.size > 1 else ""
    return f"{defined.mean():.4g}{deviation}{note}"


def _interval(mean: GroupNumber | None) -> str:
    """Return the interval of a mean, if it has one."""
    if mean is None or mean.low is None or mean.high is None:
        return ""
    return f" [{mean.low:.4g}, {mean.high:.4g}]"


def _named(heading: str, lines: pd.DataFrame) -> str:
    """Return some lines with their messages."""
    items = [f"- line {line}: {message}" for line, message in zip(lines["line"], lines["message"], strict=True)]
    more = [f"- and {len(items) - MOST_NAMED} more: see lines.tsv"] if len(items) > MOST_NAMED else []
    return f"## {heading}\n\n" + "\n".join(items[:MOST_NAMED] + more)
