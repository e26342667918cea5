"""Reproduce the paper's tables and second figure on simulated scans; a second run goes on where the first stopped."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from hail_mri import __version__
from hail_mri.apps.evaluate import evaluate_pairs
from hail_mri.apps.reproduction.cohort import Case, cases_of, visits_of
from hail_mri.apps.reproduction.drawing import draw_figure
from hail_mri.apps.reproduction.methods import why_missing
from hail_mri.apps.reproduction.report import Findings, write_report
from hail_mri.apps.reproduction.results import (
    COHORT,
    RESULTS,
    make_results,
    make_visit,
    tasks_of,
    told_cohort,
    write_pairs,
)
from hail_mri.apps.reproduction.study import Study
from hail_mri.apps.reproduction.work import each
from hail_mri.apps.scored_line import Scored
from hail_mri.errors import OutputExistsError
from hail_mri.evaluation.pair_measures import MeasureSettings
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_writable_folder
from hail_mri.provenance.sidecar import generated_by, write_json

SCORES, TABLES, RECORD = "scores", "tables.md", "reproduce.json"

Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


@dataclass(frozen=True)
class Reproduced:
    """What a reproduction came to.

    Attributes
    ----------
    scored : list of Scored
        Every result, or why it could not be scored.
    not_made : list of str
        Why results could not be made.
    seconds : dict of str to float
        By stage, of this run alone.
    """

    scored: list[Scored]
    not_made: list[str]
    seconds: dict[str, float] = field(default_factory=dict)


def reproduce(study: Study, output: Path, *, n_processes: int, overwrite: bool, progress: Progress) -> Reproduced:
    """Simulate, harmonize, score, and write tables and figure.

    Parameters
    ----------
    study : Study
    output : Path
        Folder. `cohort/` has the scans, `results/` what each method made of them, `pairs.tsv` and `scores/` what
        `evaluate_pairs` takes and gives, `tables.md` and `figure_2.png` the paper's form, `reproduce.json` the rest.
    n_processes : int
    overwrite : bool
        Make everything again, and replace a reproduction with other settings.
    progress : callable
        Takes what is being done and how many steps it has; the context manager it returns gives what to call after
        each of them.

    Raises
    ------
    OutputExistsError
        If the folder holds another reproduction, or something else.
    InputError, MissingFileError, UnwritableError
        If there are no label maps, or the folder cannot be written to.
    """
    _begin(study, output, overwrite=overwrite)
    cases, seconds = list(cases_of(study, output / COHORT)), dict[str, float]()
    with _timed(seconds, "cohort"):
        _simulate(study, output / COHORT, n_processes, progress)
    with _timed(seconds, "results"):
        not_made = _harmonize(study, cases, output, n_processes, progress)
    with _timed(seconds, "scores"):
        scored = _score(study, cases, output, n_processes, progress)
    with _timed(seconds, "report"):
        write_report(Findings(study, scored, tuple(not_made)), output / TABLES)
        draw_figure(study, cases, output)
    _write_record(output / RECORD, study, seconds)
    return Reproduced(scored, not_made, seconds)


def _begin(study: Study, output: Path, *, overwrite: bool) -> None:
    """Refuse a folder of something else, empty one that is to be made again, and say what is made in it."""
    require_writable_folder(output)
    path = output / RECORD
    before = _told(path).get("Settings")
    if before is None and output.is_dir() and any(output.iterdir()):
        raise OutputExistsError(f"{output} holds something that is no reproduction", "choose another folder")
    if before is not None and before != _settings(study) and not overwrite:
        raise OutputExistsError(
            f"{output} holds a reproduction with other settings or of another version",
            "give --overwrite to make it again, or another folder",
        )
    if overwrite:
        for name in (COHORT, RESULTS, SCORES):
            shutil.rmtree(output / name, ignore_errors=True)
    for name in (COHORT, RESULTS):
        (output / name).mkdir(parents=True, exist_ok=True)
    if overwrite:
        path.unlink(missing_ok=True)
    if before is None or overwrite:
        _write_record(path, study)


def _settings(study: Study) -> dict[str, Any]:
    """Return what must be the same for a run to go on; methods may come and go."""
    folder = None if study.label_maps_dir is None else str(study.label_maps_dir.resolve())
    return {"Version": __version__, "LabelMapsFolder": folder, **told_cohort(study)}


def _told(path: Path) -> dict[str, Any]:
    """Return what the record of a reproduction tells; nothing if there is none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _write_record(path: Path, study: Study, seconds: dict[str, float] | None = None) -> None:
    """Write what was made, by what, and how long each run took that came to its end."""
    runs = _told(path).get("SecondsOfRuns", [])
    if seconds is not None:
        runs = [*runs, {stage: round(value, 1) for stage, value in seconds.items()}]
    methods = {
        method.name: why_missing(method) or {"Model": method.model or "n/a", "OutputMode": method.output_mode}
        for method in study.methods
    }
    ants = {"antspyx": version("antspyx")} if study.segmentation == "atropos" and find_spec("ants") else {}
    told = {
        "Settings": _settings(study),
        "Segmentation": {"By": study.segmentation, **ants},
        "Methods": methods,
        "SecondsOfRuns": runs,
    }
    write_together([path], lambda hidden: write_json(told | generated_by(), hidden[path]))


def _simulate(study: Study, folder: Path, n_processes: int, progress: Progress) -> None:
    """Simulate all visits; those of the target first."""
    for what, visits in zip(("simulating targets", "simulating subjects"), visits_of(study), strict=True):
        with progress(what, len(visits)) as step:
            list(each(partial(make_visit, study=study, folder=folder), visits, n_processes=n_processes, step=step))


def _harmonize(study: Study, cases: list[Case], output: Path, n_processes: int, progress: Progress) -> list[str]:
    """Harmonize all cases by all methods; return what could not be made."""
    tasks = list(tasks_of(study, cases, output))
    with progress("harmonizing", len(tasks)) as step:
        return sorted(chain.from_iterable(each(make_results, tasks, n_processes=n_processes, step=step)))


def _score(study: Study, cases: list[Case], output: Path, n_processes: int, progress: Progress) -> list[Scored]:
    """Score all results; label maps are those of Atropos that are on disk."""
    path = write_pairs(study, cases, output)
    settings = MeasureSettings("units", "given" if study.segmentation == "atropos" else "none")
    n_lines = len(path.read_text(encoding="utf-8").splitlines()) - 1
    with progress("scoring", n_lines) as step:
        return evaluate_pairs(
            path, output / SCORES, settings, n_processes=n_processes, overwrite=True, step=step, figures=False
        )


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Note how long a stage took."""
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
