"""Scans per minute and peak memory of a batch: with one worker, with two, and on a Dask cluster of two.

    python benchmarks/study.py [--scans 8] [--spacing 2]

Simulated heads of the built-in label map are harmonized to one target by the command itself, each time into a new
folder. Peak memory is the largest sum of resident memory of the command and all processes below it, looked at ten
times a second. The last line says whether all results have the same bits.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from hail_mri import save_volume
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import scan_visit, visit_site

WAYS = {
    "this process": ("--workers", "0"),
    "1 worker": ("--workers", "1"),
    "2 workers": ("--workers", "2"),
    "Dask, 2 workers": ("--workers", "2", "--dask-scheduler", "local"),
}
LOOK_SECONDS = 0.1
MIB = 1 << 20


def main() -> None:
    """Print a table of the ways, and whether they agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=8)
    parser.add_argument("--spacing", type=float, default=2.0, help="mm")
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate(folder, choices.scans, choices.spacing)
        print(f"{choices.scans} scans of {choices.spacing:g} mm, {psutil.cpu_count()} cores\n")
        print("| way | s | scans a minute | peak memory, MiB |\n|---|---|---|---|", flush=True)
        hashes = []
        for number, (way, arguments) in enumerate(WAYS.items()):
            output = folder / f"out-{number}"
            seconds, peak = measured(folder, output, arguments)
            print(f"| {way} | {seconds:.0f} | {60 * choices.scans / seconds:.1f} | {peak / MIB:.0f} |", flush=True)
            hashes.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(output.glob("*.nii.gz"))])
        same = len(hashes[0]) == choices.scans and all(found == hashes[0] for found in hashes)
        print(f"\nThe bits of all results are {'the same' if same else 'NOT the same'}.")


def simulate(folder: Path, n_scans: int, spacing: float) -> None:
    """Write the scans of site A, and the target of site B."""
    (folder / "in").mkdir()
    label_map = mni_label_map(2.0)
    for number in range(n_scans + 1):
        site, path = ("B", "target.nii.gz") if number == n_scans else ("A", f"in/sub-{number:02d}_T1w.nii.gz")
        visit = visit_site(new_subject(label_map, number), SITES[site], spacing=spacing, seed=number)
        save_volume(scan_visit(visit), folder / path)


def measured(folder: Path, output: Path, arguments: tuple[str, ...]) -> tuple[float, int]:
    """Return how long the command takes, s, and the largest memory of all its processes, bytes."""
    command = [sys.executable, "-m", "hail_mri", "harmonize", "in", "--target", "target.nii.gz", "-o", str(output)]
    start, peak = time.perf_counter(), 0
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*command, "--force", *arguments], cwd=folder, **quiet) as run:
        while run.poll() is None:
            peak = max(peak, memory_of(run.pid))
            time.sleep(LOOK_SECONDS)
    if run.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {run.returncode}")
    return time.perf_counter() - start, peak


def memory_of(pid: int) -> int:
    """Return the resident memory of a process and all below it, bytes."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
