"""Lines scored by several processes: one that dies takes at most its own line with it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool

from hail_mri.apps.process_pool import work_by_processes
from hail_mri.apps.scored_line import Scored
from hail_mri.evaluation.pair_table import PairRow

KILLED = "the process that scored it was killed, also when it had the machine to itself; there may be too little memory"
Score = Callable[[PairRow], Scored]


def score_by_processes(rows: Sequence[PairRow], score: Score, n_processes: int) -> Iterator[Scored]:
    """Score lines, in whatever order they are done.

    Parameters
    ----------
    rows : sequence of PairRow
    score : callable
        What is done with a line; it can be pickled.
    n_processes : int

    Yields
    ------
    Scored
        A line whose process was killed, as by a lack of memory, is scored once more with no other beside it; if that
        process dies, too, the line has failed.
    """
    for row, found in work_by_processes(rows, score, n_processes):
        yield found if isinstance(found, Scored) else Scored(row, error=_reason(found))


def _reason(error: Exception) -> str:
    """Return in words why a line was not scored."""
    return KILLED if isinstance(error, BrokenProcessPool) else f"internal error, {error!r}"
