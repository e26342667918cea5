"""Work on several processes: every task by itself, done in whatever order."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

ITK_THREADS = "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"  # ITK, and so ANTs, reads it when it is loaded


def each(
    function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT], *, n_processes: int, step: Callable[[], None]
) -> Iterator[ResultT]:
    """Yield what a function returns of each task; the first error is raised, and no task begins after it.

    Parameters
    ----------
    function : callable
        Can be sent to another process.
    tasks : sequence
    n_processes : int
        With one, everything is done in this process.
    step : callable
        Called after each task.
    """
    if n_processes == 1 or len(tasks) < 2:
        for task in tasks:
            yield function(task)
            step()
        return
    n_threads = max(1, (os.cpu_count() or 1) // n_processes)
    # Not forked: a forked process inherits locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_processes, mp_context=context, initializer=_begin, initargs=(n_threads,)) as pool:
        waiting = [pool.submit(function, task) for task in tasks]
        try:
            for done in as_completed(waiting):
                yield done.result()
                step()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(n_threads: int) -> None:
    """Give a process its share of the threads."""
    os.environ.setdefault(ITK_THREADS, str(n_threads))
    from hail_mri.model.threads import limit_threads

    limit_threads(n_threads)
