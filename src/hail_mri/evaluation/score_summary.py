"""The numbers of an evaluation, put together: means by method and direction, with the paper's stars, as Markdown."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hail_mri.evaluation.signed_rank import holm, signed_rank_test, star

OVERALL = "all directions"
NO_METHOD = "results"
MOST_FAILURES = 20  # lines that are named
NOT_AVAILABLE = "n/a"
HEADLINES = {  # column, and what of the long table it shows
    "nWD(i,p) %": ("nWD(i,p)", "head"),
    "nWD(t,p) %": ("nWD(t,p)", "head"),
    "nWD(t,p) grey %": ("nWD(t,p)", "grey matter"),
    "nWD(t,p) white %": ("nWD(t,p)", "white matter"),
    "rAVD grey %": ("rAVD", "grey matter"),
    "rAVD white %": ("rAVD", "white matter"),
    "PSNR brain dB": ("PSNR", "brain"),
    "SSIM brain": ("SSIM", "brain"),
    "edge agreement": ("edge agreement", "head"),
    "monotonicity": ("monotonicity", "head"),
    "lost, head ml": ("lost structures", "head"),
    "appeared, head ml": ("appeared structures", "head"),
    "lesion volume %": ("volume found", "lesion"),
    "lesion sharpness %": ("edge sharpness", "lesion"),
}


def summarize(scores: pd.DataFrame, lines: pd.DataFrame) -> str:
    """Write what an evaluation found as Markdown.

    Parameters
    ----------
    scores : DataFrame
        One number a row: line, method, subject, direction, metric, region, value (NaN or None where undefined).
    lines : DataFrame
        One line of the table a row: line, status ("scored" or "failed"), message.

    Returns
    -------
    text : str
        A table for each direction and one for all: a method a row, mean ± standard deviation of each headline metric
        over its lines and in how many it is defined if not in all. A star marks a method that differs from the first
        one of the table by Wilcoxon's signed-rank test over subjects (p ≤ 0.05 after Holm's correction over the
        methods of the column); where lines name no subjects, nothing is tested. Below are the lines that failed.
    """
    failed = lines[lines["status"] == "failed"]
    parts = [f"# Evaluation\n\n{len(lines) - len(failed)} of {len(lines)} lines scored."]
    if not scores.empty:
        scores = scores.assign(method=scores["method"].replace("", NO_METHOD))
        directions = [name for name in dict.fromkeys(scores["direction"]) if name]
        if len(directions) != 1:
            parts.append(_section(OVERALL, scores))
        parts += [_section(name, scores[scores["direction"] == name]) for name in directions]
        parts.append(
            "Mean ± standard deviation over lines. ★: differs from the first method (Wilcoxon's signed-rank test over "
            "subjects, p ≤ 0.05 after Holm's correction)."
        )
    if len(failed):
        parts.append(_failures(failed))
    return "\n\n".join(parts) + "\n"


def _section(title: str, scores: pd.DataFrame) -> str:
    """Return a heading and a table of methods."""
    methods = list(dict.fromkeys(scores["method"]))
    columns = {heading: cells for heading, key in HEADLINES.items() if (cells := _column(scores, methods, *key))}
    rows = [["method", "lines", *columns], ["---"] * (2 + len(columns))]
    for n, method in enumerate(methods):
        n_lines = scores.loc[scores["method"] == method, "line"].nunique()
        rows.append([method, str(n_lines), *(cells[n] for cells in columns.values())])
    return f"## {title}\n\n" + "\n".join(f"| {' | '.join(_cell(text) for text in row)} |" for row in rows)


def _cell(text: str) -> str:
    """Return text that cannot break a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def _column(scores: pd.DataFrame, methods: list[str], metric: str, region: str) -> list[str]:
    """Return a cell for each method; nothing where no method has a number."""
    here = scores[(scores["metric"] == metric) & (scores["region"] == region)]
    values = here.assign(value=pd.to_numeric(here["value"], errors="coerce"))
    if not np.isfinite(values["value"]).any():
        return []
    stars = _stars(values, methods)
    cells = []
    for method in methods:
        of_method = values.loc[values["method"] == method, "value"].to_numpy()
        cells.append(_mean_and_deviation(of_method) + stars.get(method, ""))
    return cells


def _mean_and_deviation(values: NDArray[np.float64]) -> str:
    """Return mean ± standard deviation, and of how many where some are undefined."""
    defined = values[np.isfinite(values)]
    if not defined.size:
        return NOT_AVAILABLE
    deviation = f" ± {defined.std(ddof=1):.3g}" if defined.size > 1 else ""
    note = f" ({defined.size} of {values.size})" if defined.size < values.size else ""
    return f"{defined.mean():.4g}{deviation}{note}"


def _stars(values: pd.DataFrame, methods: list[str]) -> dict[str, str]:
    """Return a star for each method that differs from the first, over the subjects that both have."""
    named = values[(values["subject"] != "") & np.isfinite(values["value"])]
    by_subject = named.pivot_table(values="value", index="subject", columns="method", aggfunc="mean")
    p_values: dict[str, float] = {}
    for method in methods[1:]:
        if methods[0] not in by_subject or method not in by_subject:
            continue
        both = by_subject[[methods[0], method]].dropna().to_numpy()
        found = signed_rank_test(both[:, 0], both[:, 1]) if len(both) else None
        if found is not None and found.p_value is not None:
            p_values[method] = found.p_value
    return dict(zip(p_values, map(star, holm(list(p_values.values()))), strict=True))


def _failures(failed: pd.DataFrame) -> str:
    """Return the lines that failed, with their reasons."""
    items = [f"- line {line}: {message}" for line, message in zip(failed["line"], failed["message"], strict=True)]
    more = [f"- and {len(items) - MOST_FAILURES} more: see lines.tsv"] if len(items) > MOST_FAILURES else []
    return "## Not scored\n\n" + "\n".join(items[:MOST_FAILURES] + more)
