"""What the paper claims of its tables, and whether ours show the same: who wins where, not by how much.

Each claim compares two averages, or the six directions one by one. What cannot be compared, because a method has not
been trained or nobody has found the tissues, is *not measurable*.

Terms
-----
overshoot
    The paper takes the larger nWD(i,p) for the better one, which is right as long as both are below 100: there the
    histogram has moved as far as the target is. Beyond, the one nearer to 100 is better here, and a larger one that is
    farther from 100 is an overshoot, not what the paper claims.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hail_mri.apps.reproduction.methods import HAIL, LIU, WITHOUT_CONSISTENCY
from hail_mri.apps.reproduction.paper_form import OVER_GROUPS, SEEN_AVERAGE, UNSEEN_AVERAGE, Table, printed
from hail_mri.apps.reproduction.published import DIRECTIONS, METRICS

MOVED, LEFT, GREY, WHITE = METRICS
Verdict = Literal["seen", "overshoot", "not seen", "not measurable"]
WHOLE_WAY = 100.0  # of nWD(i,p), %


@dataclass(frozen=True)
class Claim:
    """A comparison of two numbers: the first is the smaller one; of two nWD(i,p) the farther from 100.

    Attributes
    ----------
    text : str
        In the paper's sense.
    section : str
        Where the paper says so.
    smaller, larger : (str, str)
        Method and metric.
    rows : tuple of str
        Of the table; the claim is about each of them.
    """

    text: str
    section: str
    smaller: tuple[str, str]
    larger: tuple[str, str]
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What became of a claim.

    Attributes
    ----------
    claim : Claim
    verdict : "seen", "overshoot", "not seen" or "not measurable"
    numbers : str
        The two means, if the claim is about one row; else in how many rows it holds.
    """

    claim: Claim
    verdict: Verdict
    numbers: str


def _of_two(text: str, section: str, better: str, worse: str, metrics: tuple[str, ...], row: str) -> list[Claim]:
    """Return that one method has the better average: the nWD(i,p) nearer to 100, the smaller of all else."""
    claims = []
    for metric in metrics:
        names = (worse, better) if metric == MOVED else (better, worse)
        where = {SEEN_AVERAGE: "at seen sites", UNSEEN_AVERAGE: "at unseen sites"}.get(row, "overall")
        first, second = ((name, metric) for name in names)
        claims.append(Claim(f"{metric.removesuffix(' %')} {where}: {text}", section, first, second, (row,)))
    return claims


CLAIMS = (
    Claim(
        "the prediction is nearer to the target than to the source, in every direction",
        "3.2",
        (HAIL, LEFT),
        (HAIL, MOVED),
        DIRECTIONS,
    ),
    *_of_two("HAIL is better than Liu et al.", "3.3", HAIL, LIU, (GREY, WHITE), OVER_GROUPS),
    *_of_two("HAIL is better than Liu et al.", "3.3", HAIL, LIU, (GREY, WHITE), SEEN_AVERAGE),
    *_of_two("Liu et al. are better than HAIL", "3.3", LIU, HAIL, (LEFT,), SEEN_AVERAGE),
    *_of_two("HAIL is better than Liu et al.", "3.3", HAIL, LIU, (MOVED, LEFT, GREY, WHITE), UNSEEN_AVERAGE),
    *_of_two("better without the loss", "3.4", WITHOUT_CONSISTENCY, HAIL, (MOVED, LEFT), SEEN_AVERAGE),
    *_of_two("worse without the loss", "3.4", HAIL, WITHOUT_CONSISTENCY, (MOVED, LEFT), UNSEEN_AVERAGE),
    *(
        Claim(
            f"{metric.removesuffix(' %')}: worse without the loss, in every direction",
            "3.4",
            (HAIL, metric),
            (WITHOUT_CONSISTENCY, metric),
            DIRECTIONS,
        )
        for metric in (GREY, WHITE)
    ),
)


def find(claim: Claim, tables: Mapping[str, Table]) -> Finding:
    """Look for a claim in numbers.

    Parameters
    ----------
    claim : Claim
    tables : mapping of str to mapping
        By method, those without numbers left out: what `with_averages` returns.
    """
    pairs = [(_mean(tables, *claim.smaller, row), _mean(tables, *claim.larger, row)) for row in claim.rows]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if len(known) < len(claim.rows):
        return Finding(claim, "not measurable", "n/a")
    of_way = claim.smaller[1] == claim.larger[1] == MOVED
    n_held = sum(abs(WHOLE_WAY - b) < abs(WHOLE_WAY - a) if of_way else a < b for a, b in known)
    verdict: Verdict = "seen" if n_held == len(known) else "not seen"
    if verdict == "not seen" and of_way and all(a < b for a, b in known):
        verdict = "overshoot"
    if len(known) == 1:
        a, b = map(printed, known[0])
        return Finding(claim, verdict, f"{claim.smaller[0]} {a}, {claim.larger[0]} {b}")
    return Finding(claim, verdict, f"in {n_held} of {len(known)} directions")


def _mean(tables: Mapping[str, Table], method: str, metric: str, row: str) -> float | None:
    """Return a mean of a table, if there is one."""
    if method not in tables:
        return None
    cell = tables[method][row][METRICS.index(metric)]
    return None if cell is None else cell.mean
