"""Speed and memory: the command on a whole head of 256 x 256 x 256 voxels of 1 mm, beside two yardsticks.

    python benchmarks/speed.py [--source SCAN --target SCAN] [--model compact] [--cores 2] [--work runs/speed]

Each program runs in a process of its own, bound to the same cores, from reading to written file; its time is the wall
time of the whole process, imports included, its memory the peak of the resident set. Without scans of your own, a head
simulated around the MNI152 brain is used, stored as 16-bit integers; it is made once, which takes a minute.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hail_mri.evaluation.score_table import format_table

REST = "imports, reading the target, hashes"
GOAL_SECONDS, GOAL_GIB = 10.0, 3.0
OURS = "hail-mri harmonize"
# By what they are called in their own file, which imports nothing of ours.
YARDSTICKS = {"SimpleITK histogram matching": "simpleitk", "TorchIO HistogramStandardization": "torchio"}
YARDSTICKS_PATH = Path(__file__).with_name("yardsticks.py")
SIMULATION_PATH = Path(__file__).with_name("whole_heads.py")


@dataclass(frozen=True)
class Run:
    """What one program took.

    Attributes
    ----------
    seconds : float
        Wall time of the process.
    gib : float
        Peak of the resident set, GiB.
    stages : dict of str to float
        Seconds.
    """

    seconds: float
    gib: float
    stages: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--source", type=Path)
    parser.add_argument("--target", type=Path)
    parser.add_argument("--model", default="compact", help="name or path")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/speed"), help="folder for scans and results")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    if not (arguments.source and arguments.target):
        arguments.source, arguments.target = simulated_scans(arguments.work)
    bind(arguments.cores)
    print(report(measure(arguments), arguments.cores))


def measure(arguments: argparse.Namespace) -> dict[str, Run]:
    """Run ours, then the yardsticks, each in its own process."""
    output = arguments.work / "harmonized.nii.gz"
    harmonize = ["harmonize", arguments.source, "--target", arguments.target, "-o", output, "--overwrite"]
    options = ["--model", arguments.model, "--threads", arguments.cores, "--device", "cpu"]
    command = [sys.executable, "-c", "import sys; from hail_mri.apps.cli import main; sys.exit(main())"]
    whole = run_process([*command, *harmonize, *options])
    stages = json.loads(output.with_name("harmonized.json").read_text(encoding="utf-8"))["Seconds"]
    runs = {OURS: Run(whole.seconds, whole.gib, stages)}
    for name, yardstick in YARDSTICKS.items():
        result = arguments.work / f"{yardstick}.nii.gz"
        runs[name] = run_process(
            [sys.executable, YARDSTICKS_PATH, yardstick, arguments.source, arguments.target, result]
        )
    return runs


def run_process(command: Sequence[object]) -> Run:
    """Run a command to its end, and return what it took.

    Parameters
    ----------
    command : sequence
        Program and arguments.

    Raises
    ------
    SystemExit
        If it fails.
    """
    words = [str(word) for word in command]
    start = time.perf_counter()
    process = os.posix_spawnp(words[0], words, os.environ)
    # Of this one process, unlike getrusage(RUSAGE_CHILDREN). Linux lets it begin at the peak of its parent: that is why
    # nothing heavy is imported here.
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"this failed: {' '.join(words)}")
    bytes_per_unit = 1 if sys.platform == "darwin" else 1024
    return Run(seconds, usage.ru_maxrss * bytes_per_unit / 2**30)


def report(runs: dict[str, Run], cores: int) -> str:
    """Return the tables: stages of ours, then all programs with their ratios to ours."""
    ours = runs[OURS]
    stages = {**ours.stages, REST: ours.seconds - sum(ours.stages.values())}
    first = format_table(("stage", "seconds"), [(stage, f"{seconds:.2f}") for stage, seconds in stages.items()])
    lines = [
        (name, f"{r.seconds:.1f}", f"{r.seconds / ours.seconds:.2f}", f"{r.gib:.2f}", f"{r.gib / ours.gib:.2f}")
        for name, r in runs.items()
    ]
    second = format_table(("program", "seconds", "times ours", "peak GiB", "times ours"), lines)
    work = ours.seconds - stages[REST]
    verdict = (
        f"from reading to written file {work:.1f} s (goal {GOAL_SECONDS:g}), {ours.gib:.2f} GiB (goal {GOAL_GIB:g})"
    )
    return f"{OURS} on {cores} cores\n\n{first}\n\n{verdict}\n\n{second}"


def simulated_scans(folder: Path) -> tuple[Path, Path]:
    """Return a source and a target, simulated by another process if they are not there."""
    paths = folder / "source.nii.gz", folder / "target.nii.gz"
    if not all(path.exists() for path in paths):
        print("simulating two whole heads", flush=True)
        run_process([sys.executable, SIMULATION_PATH, *paths])
    return paths


def bind(cores: int) -> None:
    """Give this process and its children that many cores, by the scheduler where it can and by what libraries read."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ[name] = str(cores)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


if __name__ == "__main__":
    main()
