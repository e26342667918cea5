"""A study through the BIDS App on one process and on a Dask cluster of two: the same bits? scans per minute, memory.

python benchmarks/bids_study.py -o DIR [--subjects 12] [--twice 4] [--spacing 3] [--reports]

Simulates a study of the paper's three sites (once), harmonizes it to the medoid of site B with each kind of workers,
and writes `figures.tsv`: scans, failures, minutes, scans per minute, seconds of CPU a scan, the largest memory of one
process and of all together, and whether all results have the bits of the first run. Memory is looked at once a second,
with psutil. The medoid is chosen beforehand, so that the runs compare harmonizing alone.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import psutil

WORKERS = {
    "1 process": ["--nprocs", "1"],
    "Dask, 2 workers": ["--dask-scheduler", "local", "--nprocs", "2"],
}
SITE = "B"
MIB = 1 << 20
COLUMNS = (
    *("workers", "scans", "failed", "minutes", "scans_per_minute", "cpu_seconds_per_scan"),
    *("largest_process_mib", "all_mib", "same_bits"),
)


def main() -> None:
    """Run the study with each kind of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--subjects", type=int, default=12, help="of each of the three sites")
    parser.add_argument("--twice", type=int, default=4, help="subjects of each site with a second session")
    parser.add_argument("--spacing", type=float, default=3.0)
    parser.add_argument("--reports", action="store_true")
    parser.add_argument("--only", choices=list(WORKERS), action="append")
    choices = parser.parse_args()
    study = _study(choices)
    target = _target(study, choices.output)
    for name in choices.only or WORKERS:
        output = choices.output / name.replace(" ", "_").replace(",", "")
        command = [str(study), str(output), "participant", "--target", str(target), "--skip-bids-validation"]
        command += [*WORKERS[name], "--omp-nthreads", "1", "--reports" if choices.reports else "--no-reports"]
        before = _cpu_seconds()
        seconds, largest, together = _watched([sys.executable, "-m", "hail_mri.apps.bids.cli", *command])
        rows = list(csv.DictReader((output / "harmonized.tsv").open(), dialect="excel-tab"))
        hashes = {row["output"]: row["result_sha256"] for row in rows}
        first = choices.output / "hashes.json"
        if not first.exists():
            first.write_text(json.dumps(hashes))
        n_failed = sum(row["status"] == "failed" for row in rows)
        same = hashes == json.loads(first.read_text())
        minutes = seconds / 60
        rate, cpu = len(rows) / minutes, (_cpu_seconds() - before) / len(rows)
        figures = (name, len(rows), n_failed, f"{minutes:.2f}", f"{rate:.2f}", f"{cpu:.1f}", largest, together, same)
        _add(choices.output / "figures.tsv", figures)


def _study(choices: argparse.Namespace) -> Path:
    """Return the simulated study, made if it is not there."""
    study = choices.output / "study"
    if not study.exists():
        sizes = ["--subjects", str(choices.subjects), "--twice", str(choices.twice), "--spacing", str(choices.spacing)]
        command = ["simulate", "-o", str(study), "--sites", "A,B,C", "--design", "multisite", *sizes]
        subprocess.run([sys.executable, "-m", "hail_mri", *command], check=True)
    return study


def _target(study: Path, folder: Path) -> Path:
    """Return the medoid scan of the site."""
    table = folder / "candidates.tsv"
    if not table.exists():
        rows = csv.DictReader((study / "participants.tsv").open(), dialect="excel-tab")
        scans = [str(study / row["participant_id"]) for row in rows if row["site"] == SITE]
        command = ["style", *scans, "--suggest-target", "--threads", "1", "-o", str(table)]
        subprocess.run([sys.executable, "-m", "hail_mri", *command], check=True)
    first = next(csv.DictReader(table.open(), dialect="excel-tab"))
    return folder / first["source"]


def _watched(command: list[str]) -> tuple[float, int, int]:
    """Run a command; return its seconds, and the largest memory of one of its processes and of all together, MiB."""
    start = time.perf_counter()
    process = psutil.Popen(command)
    largest = together = 0
    while process.poll() is None:
        sizes = []
        for one in [process, *process.children(recursive=True)]:
            try:
                sizes.append(one.memory_info().rss)
            except psutil.Error:
                continue
        largest, together = max(largest, *sizes, 0), max(together, sum(sizes))
        time.sleep(1)
    return time.perf_counter() - start, largest // MIB, together // MIB


def _cpu_seconds() -> float:
    """Return the CPU time of all processes that have ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _add(path: Path, figures: tuple[object, ...]) -> None:
    """Add a row to the table of figures, and print it."""
    is_new = not path.exists()
    with path.open("a", encoding="utf-8") as file:
        for row in ([COLUMNS] if is_new else []) + [figures]:
            line = "\t".join(map(str, row))
            file.write(line + "\n")
            print(line, flush=True)


if __name__ == "__main__":
    main()
