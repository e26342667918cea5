"""A job: one scan, the target whose look it is to get, and the settings; and one attempt at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.result_table import Outcome
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.errors import HailError
from hail_mri.harmonize.settings import HarmonizeSettings


@dataclass(frozen=True)
class ScanJob:
    """One scan to harmonize.

    Attributes
    ----------
    request : ScanRequest
        Source, output and masks.
    target : TargetFiles
        May differ from job to job, as with a target for each site.
    settings : HarmonizeSettings
    names : mapping of str to str
        `subject`, `session` and `site`, for the table of results, as far as they are known.
    """

    request: ScanRequest
    target: TargetFiles
    settings: HarmonizeSettings
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunChoices:
    """What all jobs of one run have in common.

    Attributes
    ----------
    states_dir : Path
        Folder below which states are kept, in `.hail-mri`.
    run : str
        A number of its own for each run.
    overwrite : bool
        Replace results that exist.
    reports : bool
        Write a report of each scan, too.
    threads : int
        CPU threads for each scan: bits depend on it, so it is one number for all.
    """

    states_dir: Path
    run: str
    overwrite: bool
    reports: bool
    threads: int


@dataclass(frozen=True)
class Task:
    """An attempt that is to be made at a job.

    Attributes
    ----------
    number : int
        Of the job in its run.
    job : ScanJob
    choices : RunChoices
    attempt : int
        1, or 2 for the one attempt that is made again.
    """

    number: int
    job: ScanJob
    choices: RunChoices
    attempt: int = 1


@dataclass(frozen=True)
class Attempt:
    """What came of a task.

    Attributes
    ----------
    task : Task
    outcome : Outcome
    setup_error : HailError or None
        What is wrong with the target, the weights or the device, if that is why it failed: other scans will fail, too.
    worth_retrying : bool
        Whether it failed for a reason that may be gone the next time.
    died : bool
        Whether the process ended without a word.
    """

    task: Task
    outcome: Outcome
    setup_error: HailError | None = None
    worth_retrying: bool = False
    died: bool = False


def mask_paths(request: ScanRequest) -> dict[str, Path]:
    """Return the files that are read beside the source, by the name of their column."""
    others = {f.name: getattr(request, f.name) for f in fields(request) if f.name not in ("source", "output", "label")}
    return {name: path for name, path in others.items() if path is not None}
