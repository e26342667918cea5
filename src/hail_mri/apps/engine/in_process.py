"""Tasks one after the other in this process: nothing is started, but a crash ends the run."""

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from hail_mri.apps.engine.attempt import forget_targets, make_attempt
from hail_mri.apps.engine.jobs import Attempt, Task


def in_this_process(tasks: deque[Task]) -> Generator[Attempt]:
    """Yield what came of each task; tasks that are added meanwhile are done, too. Threads are as before in the end."""
    try:
        with threads_put_back():
            while tasks:
                yield make_attempt(tasks.popleft())
    finally:
        forget_targets()


@contextmanager
def threads_put_back() -> Iterator[None]:
    """Let this process have the threads again in the end that it had before."""
    import torch
    from threadpoolctl import threadpool_limits

    n_threads = torch.get_num_threads()
    try:
        with threadpool_limits():
            yield
    finally:
        torch.set_num_threads(n_threads)
