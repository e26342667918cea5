"""Tasks on several processes of this machine, within a budget of memory; one that dies is replaced.

A task is begun when what it will take fits beside what the others take. One that does not fit at all runs alone, and
one that the machine has no room for is refused.
"""

from collections import deque
from collections.abc import Generator
from multiprocessing.connection import wait

from hail_mri.apps.engine.jobs import Attempt, Task
from hail_mri.apps.engine.machine import total_memory
from hail_mri.apps.engine.memory import IDLE, budget_of, estimate, n_processes_of, too_large
from hail_mri.apps.engine.outcomes import failed_outcome
from hail_mri.apps.engine.worker import Worker, WorkerDiedError
from hail_mri.apps.engine.workers import Workers


def on_processes(tasks: deque[Task], workers: Workers, threads: int) -> Generator[Attempt]:
    """Yield what came of each task, as they end; tasks that are added meanwhile are done, too.

    Parameters
    ----------
    tasks : deque of Task
        Emptied.
    workers : Workers
    threads : int
        Of each process.
    """
    budget, most = budget_of(workers), total_memory()
    estimates = {task.number: estimate(task.job) for task in tasks}
    n_processes = n_processes_of(workers, list(estimates.values()), budget, threads)
    pool: list[Worker] = []
    try:
        while tasks or any(worker.task for worker in pool):
            for large in [task for task in tasks if estimates[task.number] > most]:
                tasks.remove(large)
                yield _refused(large, estimates[large.number], most)
            while (task := _next_that_fits(tasks, estimates, pool, budget, n_processes)) is not None:
                tasks.remove(task)
                _idle_or_new(pool, threads, alone=estimates[task.number] > budget).give(task, estimates[task.number])
            busy = {worker.connection: worker for worker in pool if worker.task}
            for connection in wait(list(busy), timeout=None if busy else 0):
                yield _taken(busy[connection], pool)  # type: ignore[index]
    finally:
        for worker in pool:
            worker.end()


def _next_that_fits(
    tasks: deque[Task], estimates: dict[int, int], pool: list[Worker], budget: int, n_processes: int
) -> Task | None:
    """Return the first task for which there are a process and memory now; without any at work, the first there is."""
    busy = [worker for worker in pool if worker.task]
    if not tasks or len(busy) >= n_processes:
        return None
    if not busy:
        return tasks[0]
    n_idle = max(len(pool) - len(busy) - 1, 0)  # besides the one that would take the task
    room = budget - sum(worker.memory for worker in busy) - n_idle * IDLE
    return next((task for task in tasks if estimates[task.number] <= room), None)


def _idle_or_new(pool: list[Worker], threads: int, *, alone: bool) -> Worker:
    """Return a process that has nothing to do; if it needs all memory, the only one."""
    idle = [worker for worker in pool if worker.task is None]
    if not idle:
        idle = [Worker(threads)]
        pool += idle
    for worker in idle[1:] if alone else []:
        pool.remove(worker)
        worker.end()
    return idle[0]


def _taken(worker: Worker, pool: list[Worker]) -> Attempt:
    """Return what came of a worker's task; a worker that has died is removed, and another will be started."""
    task = worker.task
    if task is None:
        raise ValueError("this worker has no task")
    try:
        return worker.take()
    except WorkerDiedError as death:
        pool.remove(worker)
        worker.end()
        outcome = failed_outcome(task.job, f"its process ended {death}", 0.0)
        return Attempt(task, outcome, worth_retrying=True, died=True)


def _refused(task: Task, needed: int, most: int) -> Attempt:
    """Return the outcome of a scan that is larger than the machine."""
    return Attempt(task, failed_outcome(task.job, too_large(needed, most), 0.0))
