"""What this machine has for a batch: cores and memory, as far as this process may use them."""

import os
import sys
from contextlib import suppress
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MOST = 1 << 62  # bytes; what a cgroup without a limit says, or more


def n_cores() -> int:
    """Return the number of cores that this process may use, at least 1."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    for folder in _own_cgroups():
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
            if quota != "max":
                cores = min(cores, int(quota) // int(period))
    return max(cores, 1)


def total_memory() -> int:
    """Return the memory that this process may have, were it alone, bytes."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_limits()])


def free_memory() -> int:
    """Return the memory that is free now, bytes; all of it where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        kibibytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return min(int(kibibytes) * 1024, total_memory())
    return total_memory()


def _limits() -> list[int]:
    """Return the limits of memory that a container or a queue of jobs sets, bytes."""
    files = [*(folder / "memory.max" for folder in _own_cgroups()), _CGROUPS / "memory/memory.limit_in_bytes"]
    limits = []
    for file in files:
        with suppress(OSError, ValueError):  # "max" is no number
            limits.append(int(file.read_text(encoding="ascii")))
    return [limit for limit in limits if limit < _MOST]


def _own_cgroups() -> list[Path]:
    """Return the folders of this process's cgroup (version 2) and of those above it."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
        own = next(line.removeprefix("0::/") for line in lines if line.startswith("0::/"))
    except (OSError, ValueError, StopIteration):
        return []
    folder = _CGROUPS / own
    return [folder, *(parent for parent in folder.parents if parent.is_relative_to(_CGROUPS))]
