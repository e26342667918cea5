"""The results of a reproduction on disk: by each method, with label maps by Atropos, and the table that scores them.

Whatever is there is not made again. Atropos sees every scan and every result once, so that its label maps are scored as
given ones; they are kept where one can look at them.
"""

import csv
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hail_mri import __version__
from hail_mri.apps.reproduction.cohort import KNOWN, Case, label_map_names, scan_path, write_visit
from hail_mri.apps.reproduction.methods import harmonizer_of, why_missing
from hail_mri.apps.reproduction.study import Method, Study
from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError, InputError
from hail_mri.evaluation.atropos import segment_by_atropos
from hail_mri.image.mask import MASK_THRESHOLD
from hail_mri.image.nifti import load_volume, save_bytes, save_volume
from hail_mri.model.weights import weights_hash
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.sidecar import write_json

COHORT, RESULTS, PAIRS = "cohort", "results", "pairs.tsv"
METHOD_FILE = "method.json"


@dataclass(frozen=True)
class Task:
    """All results of a method for one target, which is read once.

    Attributes
    ----------
    method : Method
    cases : tuple of Case
    folder : Path
        Of the method's results.
    segments : bool
        Whether Atropos labels them.
    """

    method: Method
    cases: tuple[Case, ...]
    folder: Path
    segments: bool


def make_visit(visit_of: tuple[str, str], study: Study, folder: Path) -> None:
    """Simulate a visit and label its scan, as far as that has not been done; see `write_visit`."""
    write_visit(visit_of, study, folder)
    if study.segmentation == "atropos":
        scan, brain, labels = (scan_path(folder, *visit_of, kind) for kind in ("scan", "brain", "labels"))
        _label(scan, brain, labels)


def tasks_of(study: Study, cases: Sequence[Case], output: Path) -> Iterator[Task]:
    """Yield what is to be done by methods that can be run; results of other weights are removed.

    Parameters
    ----------
    study : Study
    cases : sequence of Case
    output : Path
        Of the reproduction.
    """
    for method in study.methods:
        if why_missing(method):
            continue
        folder = output / RESULTS / method.folder
        _begin(method, folder)
        for site in study.sites:
            to_site = tuple(case for case in cases if case.sites[1] == site)
            if to_site:
                yield Task(method, to_site, folder, study.segmentation == "atropos")


def make_results(task: Task) -> list[str]:
    """Make the results of a task that are not there, and their label maps; return why one could not be made.

    Parameters
    ----------
    task : Task
    """
    missing = [case for case in task.cases if not result_path(task.folder, case).is_file()]
    failed = []
    try:
        harmonize = harmonizer_of(task.method, load_volume(missing[0].target("scan"))) if missing else None
    except HailError as error:
        return [f"{task.method.name}, to {missing[0].sites[1]}: {one_line(error)}"]
    for case in task.cases:
        try:
            if harmonize is not None and case in missing:
                save_volume(harmonize(case), result_path(task.folder, case), overwrite=True)
            if task.segments:
                _label(result_path(task.folder, case), case.source("brain"), labels_path(task.folder, case))
        except HailError as error:
            failed.append(f"{task.method.name}, {case.subject}, {case.direction}: {one_line(error)}")
    return failed


def result_path(folder: Path, case: Case) -> Path:
    """Return the file of a result."""
    return folder / f"{case.name}.nii.gz"


def labels_path(folder: Path, case: Case) -> Path:
    """Return the file of a result's label map."""
    return folder / f"{case.name}_labels.nii.gz"


def write_pairs(study: Study, cases: Sequence[Case], output: Path) -> Path:
    """Write the table of all results that are there, for `evaluate_pairs`; return its path.

    Parameters
    ----------
    study : Study
    cases : sequence of Case
    output : Path
        Of the reproduction.

    Raises
    ------
    InputError
        If there is none.
    """
    rows = [
        _pair(method, case, output)
        for method in study.methods
        if not why_missing(method)
        for case in cases
        if result_path(output / RESULTS / method.folder, case).is_file()
    ]
    if not rows:
        raise InputError("no method has made a result, so that there is nothing to score", "see which models there are")
    path = output / PAIRS

    def write(hidden: Mapping[Path, Path]) -> None:
        with hidden[path].open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t")
            writer.writeheader()
            writer.writerows(rows)

    write_together([path], write)
    return path


def _pair(method: Method, case: Case, output: Path) -> dict[str, str]:
    """Return a line of the table; label maps that are not there are not named."""
    folder = output / RESULTS / method.folder
    files = {
        "source": case.source("scan"),
        "target": case.target("scan"),
        "harmonized": result_path(folder, case),
        "truth": case.answer("truth"),
        "brain_mask": case.source("brain"),
        "target_brain_mask": case.target("brain"),
        "labels": case.source("labels"),
        "target_labels": case.target("labels"),
        "harmonized_labels": labels_path(folder, case),
        "known_labels": case.source(KNOWN),
    }
    cells = {name: path.relative_to(output).as_posix() if path.is_file() else "n/a" for name, path in files.items()}
    site, target_site = case.sites
    names = {"method": method.name, "subject": case.subject, "site": site, "target_site": target_site}
    return cells | names


def _label(scan_file: Path, brain_file: Path, labels_file: Path) -> None:
    """Let Atropos label a scan that has no labels yet."""
    if labels_file.is_file():
        return
    scan = load_volume(scan_file)
    save_bytes(segment_by_atropos(scan, load_volume(brain_file).data > MASK_THRESHOLD), scan, labels_file)


def _begin(method: Method, folder: Path) -> None:
    """Say by what the results of a folder are made, and remove those that were made by something else."""
    path, now = folder / METHOD_FILE, _identity(method)
    if folder.is_dir() and _read(path) != now:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_together([path], lambda hidden: write_json(now, hidden[path]))


def _identity(method: Method) -> dict[str, Any]:
    """Return all that the results of a method depend on, but for the cohort."""
    weights = weights_hash(method.model) if method.model else ""
    return {"Method": method.name, "WeightsSHA256": weights, "OutputMode": method.output_mode, "Version": __version__}


def _read(path: Path) -> Any:
    """Return what a JSON file holds; None where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def told_cohort(study: Study) -> dict[str, Any]:
    """Return what is told of the cohort in the reproduction's own file."""
    return {
        "Subjects": list(study.subjects),
        "LabelMaps": label_map_names(study),
        "SpacingMillimetres": study.spacing,
        "Seed": study.seed,
        "Directions": list(study.directions),
    }
