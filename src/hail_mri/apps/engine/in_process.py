"""Tasks one after the other in this process: nothing is started, but a crash ends the run."""

from collections import deque
from collections.abc import Generator

from hail_mri.apps.engine.attempt import forget_targets, make_attempt
from hail_mri.apps.engine.jobs import Attempt, Task


def in_this_process(tasks: deque[Task]) -> Generator[Attempt]:
    """Yield what came of each task; tasks that are added meanwhile are done, too. Threads are as before in the end."""
    import torch
    from threadpoolctl import threadpool_limits

    n_threads = torch.get_num_threads()
    try:
        with threadpool_limits():  # which are put back
            while tasks:
                yield make_attempt(tasks.popleft())
    finally:
        torch.set_num_threads(n_threads)
        forget_targets()
