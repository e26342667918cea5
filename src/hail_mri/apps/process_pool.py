"""Items worked on by several processes: one that dies takes at most its own item with it."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def work_by_processes(
    items: Iterable[ItemT], work: Callable[[ItemT], ResultT], n_processes: int
) -> Iterator[tuple[ItemT, ResultT | Exception]]:
    """Work on items, in whatever order they are done.

    Parameters
    ----------
    items : iterable
    work : callable
        What is done with an item; it, the item and the result can be pickled.
    n_processes : int

    Yields
    ------
    item
    result
        Or the exception that it ended with. An item whose process was killed, as by a lack of memory, is worked on once
        more with no other beside it; if that process dies, too, the exception is a `BrokenProcessPool`.
    """
    waiting = deque(items)
    while waiting:
        with _processes(n_processes) as pool:
            on_hand = yield from _until_one_dies(pool, waiting, work, n_processes)
        # Of those on hand nobody can tell whose process it was: each is tried alone.
        for item in on_hand:
            with _processes(1) as pool:
                yield item, _outcome(pool.submit(work, item))


def _processes(n_processes: int) -> ProcessPoolExecutor:
    """Return processes that are not forked: a forked one inherits locks of threads that it does not have."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n_processes, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Let this process end without a word: when it is interrupted, as all of a terminal are, and with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A parent that is killed leaves processes of a pool waiting for ever.
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    """Wait for the end of the parent, and end at once."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _until_one_dies(
    pool: ProcessPoolExecutor, waiting: deque[ItemT], work: Callable[[ItemT], ResultT], n_processes: int
) -> Generator[tuple[ItemT, ResultT | Exception], None, list[ItemT]]:
    """Work on waiting items; if a process dies, which breaks all of the pool, return the items that were on hand."""
    on_hand: dict[Future[ResultT], ItemT] = {}
    while waiting or on_hand:
        is_broken = False
        try:
            while waiting and len(on_hand) < n_processes:
                on_hand[pool.submit(work, waiting[0])] = waiting[0]
                waiting.popleft()
        except BrokenProcessPool:
            is_broken = True
        done, _ = wait(on_hand, return_when=FIRST_COMPLETED)
        if is_broken or any(_is_killed(future) for future in done):
            wait(on_hand)
            for future, item in on_hand.items():
                if not _is_killed(future):
                    result = _outcome(future)
                    yield item, result
            return [item for future, item in on_hand.items() if _is_killed(future)]
        for future in done:
            result = _outcome(future)
            yield on_hand.pop(future), result
    return []


def _is_killed(future: Future[ResultT]) -> bool:
    """Return whether a process was killed before an item was done."""
    return isinstance(future.exception(), BrokenProcessPool)


def _outcome(future: Future[ResultT]) -> ResultT | Exception:
    """Wait for what became of an item."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, Exception):
        return error
    raise error
