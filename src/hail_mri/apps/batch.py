"""The scans of a folder or a table, harmonized to one target or to one for each: requests become jobs of the engine."""

from pathlib import Path

from hail_mri.apps.engine.jobs import ScanJob
from hail_mri.apps.engine.run import run_jobs
from hail_mri.apps.engine.workers import THIS_PROCESS, Workers
from hail_mri.apps.leaks import leak_warnings
from hail_mri.apps.request_columns import RowColumns, read_columns, split_scans
from hail_mri.apps.requests import ScanRequest, requests_of_batch
from hail_mri.apps.result_table import Outcome
from hail_mri.apps.scan_files import TargetFiles, require_no_target_masks
from hail_mri.apps.terminal import say
from hail_mri.errors import InputError
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.provenance.folder_names import RESULT_TABLE


def harmonize_batch(
    source: Path,
    output: Path | None,
    brain_mask: Path | None,
    target_files: TargetFiles | None,
    settings: HarmonizeSettings,
    *,
    reference: Path | None = None,
    lesion_mask: Path | None = None,
    overwrite: bool,
    workers: Workers = THIS_PROCESS,
    reports: bool = False,
) -> tuple[list[Outcome], Path]:
    """Harmonize the scans of a folder or a table, and keep a table of what became of them.

    Parameters
    ----------
    source : Path
        A folder or a table of requests.
    output : Path or None
        Folder for the results; None for a table's own folder.
    brain_mask, lesion_mask : Path or None
        Refused: they cannot be masks of many scans.
    target_files : TargetFiles or None
        The target of all scans, but for those whose row in a table names their own.
    reference : Path or None
        To which scans are registered that have a target of their own.
    settings : HarmonizeSettings
    overwrite : bool
    workers : Workers
    reports : bool
        Write a report of each scan, too.

    Returns
    -------
    outcomes : list of Outcome
        One for each image, see `run_jobs`.
    table_path : Path
        `harmonized.tsv` among the results. A later run goes on with what is missing.

    Raises
    ------
    HailError
        As `run_jobs`; also if a scan has no target, or masks of a target are given that no scan has.

    Notes
    -----
    That a target is one of the test scans that a table names, or of the same subject, is said as a warning.
    """
    batch = requests_of_batch(source, output, brain_mask, lesion_mask)
    table_path = (source.parent if output is None else output) / RESULT_TABLE
    columns = [RowColumns()] * len(batch.requests) if source.is_dir() else read_columns(source)
    jobs = [
        ScanJob(request, _target_of(request, row, target_files, reference), settings, row.names)
        for request, row in zip(batch.requests, columns, strict=True)
    ]
    if target_files is not None and target_files not in {job.target for job in jobs}:
        require_no_target_masks(source, target_files.brain_mask, target_files.lesion_mask)
    for warning in leak_warnings(split_scans(batch.requests, columns), (job.target.path for job in jobs)):
        say("warning", warning)
    outcomes = run_jobs(
        jobs,
        table_path,
        workers,
        overwrite=overwrite,
        reports=reports,
        skipped=batch.skipped,
        inputs=[] if source.is_dir() else [source],
    )
    return outcomes, table_path


def _target_of(
    request: ScanRequest, row: RowColumns, target_files: TargetFiles | None, reference: Path | None
) -> TargetFiles:
    """Return the target of a scan: its own, or that of all."""
    if row.target is not None:
        return TargetFiles(row.target, row.target_is_style_card, reference=reference)
    if target_files is None:
        raise InputError(
            f"{request.label}: there is no target, expected --target, --style or the column target", "give one of them"
        )
    return target_files
