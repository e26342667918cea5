"""What a result is computed with: versions and memory. Imports none of the libraries it names."""

import importlib.metadata
import platform
import sys
from contextlib import suppress
from pathlib import Path

from hail_mri import __version__

DISTRIBUTION = "hail-mri"
MAKER = {"Name": DISTRIBUTION, "Version": __version__}  # as BIDS wants it told in `GeneratedBy`
LIBRARIES = ("torch", "monai", "nibabel", "numpy", "scipy")
_BYTES_PER_MIB = 1 << 20


def versions() -> dict[str, str]:
    """Return the versions of hail-mri, Python and the libraries that decide about the result."""
    found = {DISTRIBUTION: __version__, "python": platform.python_version()}
    return found | {library: importlib.metadata.version(library) for library in LIBRARIES}


def peak_memory_mib() -> float | None:
    """Return the largest resident memory this process has had so far, in MiB; None on Windows, which does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # getrusage(2) counts bytes on macOS and kilobytes on Linux.
    return round(peak / _BYTES_PER_MIB if sys.platform == "darwin" else peak / 1024, 1)


def restart_peak_memory() -> None:
    """Let `peak_memory_mib` count from now on, where the system has such a thing (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5): resets the peak resident set size
