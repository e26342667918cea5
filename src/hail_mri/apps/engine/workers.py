"""Who does the work of a batch: this process, several on this machine, or a Dask cluster."""

from dataclasses import dataclass
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.harmonize.settings import MOST_THREADS

MOST_PROCESSES = 1024
LOCAL_CLUSTER = "local"


@dataclass(frozen=True)
class Workers:
    """How many processes work, with how much memory, and where; checked when it is made.

    Attributes
    ----------
    n_processes : int from 0 to `MOST_PROCESSES`, or None
        0 is this process alone, which a crash ends; None is as many as cores, memory and scans allow.
    threads : int from 1 to `MOST_THREADS`, or None
        Of each process. None is what the settings say, or else 1: the bits of a result depend on the number of
        threads, and may not depend on the machine.
    memory_gb : float or None
        Budget of all processes of this machine together, GB (10^9 bytes); None is 80 % of what is free. Not for a
        cluster elsewhere.
    dask_scheduler : str or None
        Address of a Dask scheduler ("tcp://host:8786"), or "local" for a cluster of processes on this machine.

    Raises
    ------
    InputError
        If a value is not one of these.
    """

    n_processes: int | None = None
    threads: int | None = None
    memory_gb: float | None = None
    dask_scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.n_processes is not None and not 0 <= self.n_processes <= MOST_PROCESSES:
            raise InputError(f"workers is {self.n_processes}, expected a number from 0 to {MOST_PROCESSES}")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise InputError(f"threads is {self.threads}, expected a number from 1 to {MOST_THREADS}")
        if self.memory_gb is not None and not 0 < self.memory_gb < float("inf"):
            raise InputError(f"memory is {self.memory_gb} GB, expected a number above 0")
        if self.dask_scheduler is not None:
            _require_scheduler(self.dask_scheduler, self.n_processes, self.memory_gb)


THIS_PROCESS = Workers(n_processes=0)


def require_no_workers(workers: Workers, source: Path) -> None:
    """Refuse workers for a single scan, which has none.

    Raises
    ------
    InputError
        If anything but a number of threads is asked for.
    """
    if Workers(threads=workers.threads) != workers:
        raise InputError(
            f"--workers, --memory-gb and --dask-scheduler are for folders and tables, but {source} is one scan",
            "leave them away",
        )


def _require_scheduler(address: str, n_processes: int | None, memory_gb: float | None) -> None:
    """Refuse what is no address, and a number of workers or a memory for a cluster that has its own."""
    if address != LOCAL_CLUSTER and "://" not in address:
        raise InputError(
            f"the Dask scheduler is {address!r}, expected an address or {LOCAL_CLUSTER}", "write tcp://HOST:PORT"
        )
    if n_processes == 0 or (n_processes is not None and address != LOCAL_CLUSTER):
        raise InputError(
            f"{n_processes} workers are asked for with the Dask scheduler {address}, which has its own",
            "start its workers with dask worker, or use --dask-scheduler local",
        )
    if memory_gb is not None and address != LOCAL_CLUSTER:
        raise InputError(
            f"{memory_gb:g} GB of memory are asked for with the Dask scheduler {address}, whose workers have their own",
            "start them with dask worker --memory-limit, or use --dask-scheduler local",
        )
