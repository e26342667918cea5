"""Lines scored by several processes: one that dies takes at most its own line with it."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

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
    waiting = deque(rows)
    while waiting:
        with _processes(n_processes) as pool:
            on_hand = yield from _until_one_dies(pool, waiting, score, n_processes)
        # Of those on hand nobody can tell whose process it was: each is tried alone.
        for row in on_hand:
            with _processes(1) as pool:
                yield _outcome(row, pool.submit(score, row))


def _processes(n_processes: int) -> ProcessPoolExecutor:
    """Return processes that are not forked: a forked one inherits locks of threads that it does not have."""
    return ProcessPoolExecutor(n_processes, mp_context=multiprocessing.get_context("spawn"))


def _until_one_dies(
    pool: ProcessPoolExecutor, waiting: deque[PairRow], score: Score, n_processes: int
) -> Generator[Scored, None, list[PairRow]]:
    """Score waiting lines; if a process dies, which breaks all of the pool, return the lines that were on hand."""
    on_hand: dict[Future[Scored], PairRow] = {}
    while waiting or on_hand:
        is_broken = False
        try:
            while waiting and len(on_hand) < n_processes:
                on_hand[pool.submit(score, waiting[0])] = waiting[0]
                waiting.popleft()
        except BrokenProcessPool:
            is_broken = True
        done, _ = wait(on_hand, return_when=FIRST_COMPLETED)
        if is_broken or any(_is_killed(future) for future in done):
            wait(on_hand)
            yield from (_outcome(row, future) for future, row in on_hand.items() if not _is_killed(future))
            return [row for future, row in on_hand.items() if _is_killed(future)]
        for future in done:
            yield _outcome(on_hand.pop(future), future)
    return []


def _is_killed(future: Future[Scored]) -> bool:
    """Return whether a process was killed before a line was done."""
    return isinstance(future.exception(), BrokenProcessPool)


def _outcome(row: PairRow, future: Future[Scored]) -> Scored:
    """Wait for what became of a line."""
    error = future.exception()
    if error is None:
        return future.result()
    return Scored(row, error=KILLED if _is_killed(future) else f"internal error, {error!r}")
