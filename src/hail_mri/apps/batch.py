"""The scans of a folder or a table, harmonized to one target or to one for each: requests become jobs of the engine."""

from pathlib import Path

from hail_mri.apps.engine.jobs import ScanJob
from hail_mri.apps.engine.run import run_jobs
from hail_mri.apps.engine.workers import THIS_PROCESS, Workers
from hail_mri.apps.requests import requests_of_batch
from hail_mri.apps.result_table import RESULT_TABLE, Outcome
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.harmonize.settings import HarmonizeSettings


def harmonize_batch(
    source: Path,
    output: Path | None,
    brain_mask: Path | None,
    target_files: TargetFiles,
    settings: HarmonizeSettings,
    *,
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
    brain_mask : Path or None
        Refused: it cannot be the mask of many scans.
    target_files : TargetFiles
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
        As `run_jobs`.
    """
    batch = requests_of_batch(source, output, brain_mask)
    table_path = (source.parent if output is None else output) / RESULT_TABLE
    jobs = [ScanJob(request, target_files, settings) for request in batch.requests]
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
