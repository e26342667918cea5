"""Speed and memory of preparing a whole head of 1 mm, beside the plain chain of ANTs, and how far the two agree.

    python benchmarks/preprocessing_speed.py --ants PYTHON [--source SCAN --reference SCAN] [--cores 2] [--work FOLDER]

PYTHON is the interpreter of an environment with antspyx (`python -m venv ants && ants/bin/pip install antspyx`). Both
programs run in processes of their own, bound to the same cores; ours without its cache. Without scans of your own, two
heads simulated around the MNI152 brain are used. The last table holds one transform and field against the other:
displacement of a point of the head at most, rotation, and correlation of the logarithms of the fields in the brain.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from speed import Run, bind, run_process, simulated_scans

from hail_mri.evaluation.score_table import format_table

OURS, THEIRS = "hail-mri preprocess", "ANTs, N4 and rigid"
GOAL_SECONDS, GOAL_GIB, GOAL_RATIO = 20.0, 3.0, 10.0
FOLDER = Path(__file__).parent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ants", type=Path, help="interpreter with antspyx; without it ours alone is measured")
    parser.add_argument("--source", type=Path)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/preprocessing"), help="folder for scans and results")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    if not (arguments.source and arguments.reference):
        arguments.source, arguments.reference = simulated_scans(arguments.work)
    bind(arguments.cores)
    masks = masks_of(arguments)
    runs = {OURS: ours(arguments, masks)}
    if arguments.ants:
        runs[THEIRS] = theirs(arguments, masks)
    print(report(runs, arguments.cores))
    if arguments.ants:
        run_process([sys.executable, FOLDER / "preprocessing_agreement.py", arguments.work, arguments.source, masks[1]])


def masks_of(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """Return the reference's brain mask and the source's, and make the source's head mask, in another process."""
    paths = arguments.work / "reference_brain.nii.gz", arguments.work / "source_brain.nii.gz"
    if not all(path.exists() for path in paths):
        run_process([sys.executable, FOLDER / "preprocessing_masks.py", arguments.reference, arguments.source, *paths])
    return paths


def ours(arguments: argparse.Namespace, masks: tuple[Path, Path]) -> Run:
    """Prepare without a cache; both brain masks are given, for the chain of ANTs finds none either."""
    folder = arguments.work / "prepared"
    command = [sys.executable, "-c", "import sys; from hail_mri.apps.cli import main; sys.exit(main())"]
    request = ["preprocess", arguments.source, "--reference", arguments.reference, "--reference-mask", masks[0]]
    options = ["--brain-mask", masks[1], "--no-cache", "--overwrite", "--force", "--threads", arguments.cores]
    run = run_process([*command, *request, "-o", folder, *options])
    sidecar = next(folder.glob("*_desc-prepared*.json"))
    return Run(run.seconds, run.gib, json.loads(sidecar.read_text(encoding="utf-8"))["Seconds"])


def theirs(arguments: argparse.Namespace, masks: tuple[Path, Path]) -> Run:
    """Run the chain of ANTs, in the head mask."""
    head = masks[1].with_name("source_head.nii.gz")
    script = FOLDER / "ants_chain.py"
    run = run_process([arguments.ants, script, arguments.source, arguments.reference, head, arguments.work])
    return Run(run.seconds, run.gib, json.loads((arguments.work / "seconds.json").read_text(encoding="utf-8")))


def report(runs: dict[str, Run], cores: int) -> str:
    """Return the tables: both programs with their ratios, and their stages."""
    first = runs[OURS]
    lines = [
        (name, f"{r.seconds:.1f}", f"{r.seconds / first.seconds:.1f}", f"{r.gib:.2f}", f"{r.gib / first.gib:.2f}")
        for name, r in runs.items()
    ]
    stages = [(name, stage, f"{seconds:.1f}") for name, run in runs.items() for stage, seconds in run.stages.items()]
    goals = f"goals: {GOAL_SECONDS:g} s, {GOAL_GIB:g} GiB, {GOAL_RATIO:g} times faster"
    table = format_table(("program", "seconds", "times ours", "peak GiB", "times ours"), lines)
    second = format_table(("program", "stage", "seconds"), stages)
    return f"{cores} cores, {os.cpu_count()} in all; {goals}\n\n{table}\n\n{second}"


if __name__ == "__main__":
    main()
