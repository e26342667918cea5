"""How much memory a scan will take, from the size that its header tells, and how many fit at once."""

from collections.abc import Iterable, Sequence
from math import prod
from pathlib import Path
from statistics import median

from hail_mri.apps.engine.jobs import ScanJob
from hail_mri.apps.engine.machine import free_memory, n_cores
from hail_mri.apps.engine.workers import Workers
from hail_mri.errors import HailError
from hail_mri.image.nifti import header_shape

GB = 10**9
_MIB = 1 << 20
# Measured by benchmarks/memory_of_scans.py, rounded up.
IDLE = 700 * _MIB  # a process with a target between two scans
BASE = 950 * _MIB  # the smallest scan
BASE_OF_FEATURES = 2100 * _MIB  # with a network of features, as the paper's
PER_VOXEL = 20  # bytes
SHARE_OF_FREE = 0.8  # of the memory, that a batch takes if nothing else is said


def estimate(job: ScanJob) -> int:
    """Return about how much memory a process takes for a job, bytes; of a file that cannot be read, the least."""
    return estimate_of(
        (job.request.source, *(() if job.target.is_style_card else (job.target.path,))), job.settings.model
    )


def estimate_of(scans: Iterable[Path], model: str | Path) -> int:
    """Return about how much memory a process takes for scans that it has at once, bytes; of no file, the least."""
    base = BASE if model == "compact" else BASE_OF_FEATURES
    sizes = [0]
    for path in scans:
        try:
            sizes.append(prod(header_shape(path)))
        except HailError:  # said when its turn comes
            continue
    return base + PER_VOXEL * max(sizes)


def too_large(needed: int, most: int) -> str:
    """Return what to say of a scan that takes more memory than the machine has, both in bytes."""
    return (
        f"its header tells of a scan that takes about {needed / GB:,.0f} GB of memory, and this machine has "
        f"{most / GB:.0f} GB. Take a larger machine; if the scan is not that large, its header is damaged."
    )


def budget_of(workers: Workers) -> int:
    """Return the memory for all processes together, bytes."""
    return int(SHARE_OF_FREE * free_memory() if workers.memory_gb is None else workers.memory_gb * GB)


def n_processes_of(workers: Workers, estimates: Sequence[int], budget: int, threads: int) -> int:
    """Return how many processes work at once: as many as are asked for, or as cores, memory and scans allow."""
    if workers.n_processes is not None:
        return workers.n_processes
    return max(1, min(n_cores() // threads, len(estimates), int(budget // median(estimates))))
