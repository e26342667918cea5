"""Scores in the form of the paper's tables: a cell for each direction, and the two ways to average over directions.

The paper's averages are means of the directions' means. Its *overall* is over six directions for HAIL, and the mean of
seen and unseen for the others, which gives the two seen directions twice the weight of the four unseen ones. Here both
are taken of both.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hail_mri.apps.reproduction.published import METRICS, SEEN, UNSEEN, Cell, Cells, MethodCells
from hail_mri.apps.scored_line import Scored
from hail_mri.evaluation.label_schemes import GREY_MATTER, WHITE_MATTER
from hail_mri.evaluation.pair_measures import HEAD
from hail_mri.evaluation.signed_rank import signed_rank_test, star

SEEN_AVERAGE, UNSEEN_AVERAGE = "avg, seen", "avg, unseen"
OVER_DIRECTIONS, OVER_GROUPS = "overall, over six directions", "overall, mean of seen and unseen"
Table = Mapping[str, Cells]  # of a method, by row: what `with_averages` returns

AVERAGES = (SEEN_AVERAGE, UNSEEN_AVERAGE, OVER_DIRECTIONS, OVER_GROUPS)
ROWS = (*SEEN, SEEN_AVERAGE, *UNSEEN, UNSEEN_AVERAGE, OVER_DIRECTIONS, OVER_GROUPS)  # from top to bottom

# Metric and region of each column of the paper, as `measure_pair` names them.
MEASURED = dict(
    zip(
        METRICS,
        (("nWD(i,p)", HEAD), ("nWD(t,p)", HEAD), ("rAVD", GREY_MATTER), ("rAVD", WHITE_MATTER)),
        strict=True,
    )
)


def scores_of(scored: Sequence[Scored]) -> pd.DataFrame:
    """Return all numbers in a long table: method, subject, direction, metric, region, value.

    Parameters
    ----------
    scored : sequence of Scored
    """
    columns = ["method", "subject", "direction", "metric", "region", "value"]
    rows = [
        (line.row.method, line.row.subject, line.row.direction, number["metric"], number["region"], number["value"])
        for line in scored
        for number in line.numbers
    ]
    scores = pd.DataFrame(rows, columns=columns)
    return scores.assign(value=pd.to_numeric(scores["value"], errors="coerce")).dropna(subset=["value"])


def method_cells(scores: pd.DataFrame, method: str, *, against: str | None = None) -> MethodCells:
    """Return what the paper's tables show of a method.

    Parameters
    ----------
    scores : DataFrame
        As of `scores_of`.
    method : str
    against : str, optional
        The other method of the table, from which the first may differ by a star: Wilcoxon's signed-rank test over the
        subjects of a direction.

    Returns
    -------
    cells : mapping of direction to tuple of Cell or None
        Directions in which nothing of the method was measured are left out.
    """
    found = {}
    for direction in (*SEEN, *UNSEEN):
        here = scores[scores["direction"] == direction]
        cells = tuple(_cell(here, method, against, *MEASURED[metric]) for metric in METRICS)
        if any(cell is not None for cell in cells):
            found[direction] = cells
    return found


def with_averages(cells: MethodCells) -> dict[str, Cells]:
    """Add the averages over directions to a method's cells, without deviation as in the paper.

    Parameters
    ----------
    cells : mapping of direction to tuple of Cell or None

    Returns
    -------
    rows : dict of str to tuple of Cell or None
        By `ROWS`. An average of which a direction is missing is none.

    Examples
    --------
    >>> from hail_mri.apps.reproduction.published import LIU
    >>> rows = with_averages(LIU)
    >>> [printed(rows[name][0].mean) for name in (OVER_DIRECTIONS, OVER_GROUPS)]
    ['86.71', '88.46']
    """
    nothing: Cells = (None,) * len(METRICS)
    seen, unseen, six = (_mean_of(cells, names) for names in (SEEN, UNSEEN, (*SEEN, *UNSEEN)))
    groups = tuple(
        None if a is None or b is None else Cell((a.mean + b.mean) / 2) for a, b in zip(seen, unseen, strict=True)
    )
    averages = dict(zip(AVERAGES, (seen, unseen, six, groups), strict=True))
    return {row: averages[row] if row in averages else tuple(cells.get(row, nothing)) for row in ROWS}


def printed(value: float) -> str:
    """Return a number as the paper prints it: two digits, a half goes up, so that its averages come out the same.

    Examples
    --------
    >>> printed((6.99 + 6.78) / 2)
    '6.89'
    """
    return f"{value + 1e-9:.2f}"


def _mean_of(cells: MethodCells, directions: Sequence[str]) -> Cells:
    """Average the means of directions, column by column."""
    columns = []
    for column in range(len(METRICS)):
        found = [cells[name][column] for name in directions if name in cells]
        means = [cell.mean for cell in found if cell is not None]
        columns.append(Cell(float(np.mean(means))) if len(means) == len(directions) else None)
    return tuple(columns)


def _cell(here: pd.DataFrame, method: str, against: str | None, metric: str, region: str) -> Cell | None:
    """Return a number of a direction; none where it was not measured."""
    these = here[(here["metric"] == metric) & (here["region"] == region)]
    values = these.loc[these["method"] == method].set_index("subject")["value"]
    if values.empty:
        return None
    deviation = float(values.std(ddof=1)) if len(values) > 1 else None
    others = these.loc[these["method"] == against].set_index("subject")["value"]
    return Cell(float(values.mean()), deviation, _differ(values, others))


def _differ(values: pd.Series, others: pd.Series) -> bool:
    """Return whether two methods differ over the subjects that both have."""
    both = pd.concat([values, others], axis=1, join="inner").to_numpy()
    return len(both) > 0 and bool(star(signed_rank_test(both[:, 0], both[:, 1]).p_value))
