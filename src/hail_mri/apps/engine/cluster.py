"""Tasks on a Dask cluster: workers on many machines, or on this one, that read and write the same shared paths.

Nothing but the names of files goes over the network: every worker reads the scans, the target and the weights from the
paths that this process knows, and writes results there.
"""

import logging
import platform
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, chdir, contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from hail_mri import __version__
from hail_mri.apps.engine.attempt import make_attempt
from hail_mri.apps.engine.jobs import Attempt, Task
from hail_mri.apps.engine.memory import budget_of, estimate, n_processes_of
from hail_mri.apps.engine.outcomes import failed_outcome
from hail_mri.apps.engine.workers import LOCAL_CLUSTER, Workers
from hail_mri.apps.terminal import say
from hail_mri.errors import InputError

if TYPE_CHECKING:
    from distributed import Client, Future, as_completed

_one_folder = Lock()

CONNECT_SECONDS = 30.0
LOOK_SECONDS = 5.0  # between two looks whether there are workers
PAUSE = 0.05  # s between two looks whether a task has ended
# Of a local cluster: how often a task may lose its worker before it is given up. A scheduler elsewhere has its own.
ALLOWED_FAILURES = 1


def on_cluster(tasks: deque[Task], workers: Workers, threads: int) -> Generator[Attempt]:
    """Yield what came of each task, as they end; tasks that are added meanwhile are done, too.

    Parameters
    ----------
    tasks : deque of Task
        Emptied.
    workers : Workers
        With a Dask scheduler.
    threads : int
        Of each scan.

    Raises
    ------
    InputError
        If Dask is not installed, nobody answers at the address, or a worker runs another version, also one that comes
        later.

    Notes
    -----
    As long as there are no workers, it waits for some, which is said.
    """
    with _client(tasks, workers, threads) as client:
        from distributed import as_completed

        folder = Path.cwd()
        ended = as_completed(loop=client.loop)
        submitted: dict[Future[Attempt], Task] = {}
        while tasks or submitted:
            while tasks:
                future = client.submit(_attempt_in, folder, task := tasks.popleft(), __version__, pure=False)
                submitted[future] = task
                ended.add(future)
            _wait_for_one(ended, client, workers.dask_scheduler)
            future = next(ended)
            yield _result(future, submitted.pop(future))


def _wait_for_one(ended: "as_completed", client: "Client", address: str | None) -> None:
    """Wait until a task has ended; if there are no workers meanwhile, say so once."""
    looked, is_said = time.monotonic(), False
    while not ended.has_ready():
        time.sleep(PAUSE)
        if not is_said and time.monotonic() - looked > LOOK_SECONDS:
            looked = time.monotonic()
            is_said = not client.nthreads()
            if is_said:
                say("waiting for workers", f"the cluster has none; start some: dask worker {address}")


def _attempt_in(folder: Path, task: Task, version: str) -> Attempt:
    """Attempt a task where its relative paths mean what they mean to the one who asked for it."""
    if version != __version__:
        raise _other_version(f"the worker on {platform.node()} runs", [__version__], version)
    # The working folder is one of the process, and a worker may have several threads.
    with _one_folder, chdir(folder):
        return make_attempt(task)


def _result(future: "Future[Attempt]", task: Task) -> Attempt:
    """Return what came of a task, also of one whose workers were lost."""
    if future.cancelled():
        raise InputError("the Dask scheduler is gone", "start it and the same command again, which does the rest")
    error = future.exception()
    if isinstance(error, InputError):  # of the worker's version: of a scan, no error leaves an attempt
        raise error
    if error is None:
        attempt: Attempt = future.result()
        return attempt
    reason = " ".join(str(error).split())
    outcome = failed_outcome(task.job, f"the cluster gave it up: {reason}", 0.0)
    # The scheduler has tried it on other workers.
    return Attempt(task, outcome, died=True)


@contextmanager
def _client(tasks: deque[Task], workers: Workers, threads: int) -> Iterator["Client"]:
    """Be connected to the cluster, and end one that was started for this."""
    if find_spec("distributed") is None:
        raise InputError("Dask is not installed, which --dask-scheduler needs", "pip install 'hail-mri[cluster]'")
    import dask
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": ALLOWED_FAILURES}))
        address = workers.dask_scheduler
        if address == LOCAL_CLUSTER:
            budget = budget_of(workers)
            n_workers = n_processes_of(workers, [estimate(task.job) for task in tasks], budget, threads)
            address = stack.enter_context(
                LocalCluster(
                    n_workers=n_workers,
                    threads_per_worker=1,
                    memory_limit=budget // n_workers,
                    dashboard_address=":0",
                    silence_logs=logging.CRITICAL,
                )
            )
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT_SECONDS, set_as_default=False))
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"no Dask scheduler answers at {workers.dask_scheduler} ({reason})", "check the address"
            ) from error
        _require_same_version(client)
        yield client


def _require_same_version(client: "Client") -> None:
    """Refuse workers of another version: their results would not have the same bits."""
    found = client.run(_version)
    others = {version for version in found.values() if version != __version__}
    if others:
        raise _other_version("workers of the cluster run", sorted(others), __version__)


def _other_version(who: str, found: Sequence[str], expected: str) -> InputError:
    """Return the error that says which versions were found."""
    return InputError(
        f"{who} hail-mri {', '.join(found)}, expected {expected}", "install the same version on all machines"
    )


def _version() -> str:
    """Return the version that a worker runs."""
    return __version__
