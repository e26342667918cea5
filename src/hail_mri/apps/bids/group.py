"""What is done once scans are harmonized: reports of scans again, and the report of the study."""

from dataclasses import dataclass
from pathlib import Path

from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.derivatives import describe_output, result_path
from hail_mri.apps.bids.plan import make_plan
from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.result_table import RESULT_TABLE
from hail_mri.apps.terminal import progress
from hail_mri.errors import MissingFileError
from hail_mri.provenance.links import real_path


@dataclass(frozen=True)
class Group:
    """What is there of a study.

    Attributes
    ----------
    done, missing : tuple of BidsScan
        Scans that have a result, and scans that have none.
    report_path : Path
    """

    done: tuple[BidsScan, ...]
    missing: tuple[BidsScan, ...]
    report_path: Path


def report_group(request: AppRequest) -> Group:
    """Write the report of a study, from the table of results and the results themselves.

    Raises
    ------
    HailError
        If nothing was harmonized yet, or the report cannot be written.
    """
    from hail_mri.report.study_report import write_study_report

    plan = make_plan(request)
    _require_results(request.output_dir)
    describe_output(request.output_dir, plan.dataset)  # results of an earlier version may know less of what lies there
    there = {scan: result_path(scan, request.output_dir).is_file() for scan in plan.selection.scans}
    with progress("measuring", total=len(there)) as step:
        n_processes = max(1, request.n_processes or 1)
        report_path = write_study_report(request.output_dir, overwrite=True, n_processes=n_processes, step=step)
    done, missing = (tuple(scan for scan, found in there.items() if found is wanted) for wanted in (True, False))
    return Group(done, missing, report_path)


def report_scans(request: AppRequest) -> tuple[int, list[str]]:
    """Write the reports of scans that were asked for again, and the pages of their participants.

    Returns
    -------
    n_written : int
    reasons : list of str
        For each report that could not be written, why.

    Raises
    ------
    HailError
        If there is no result.
    """
    from hail_mri.apps.bids.subject_page import write_subject_pages
    from hail_mri.apps.scan_reports import write_scan_reports
    from hail_mri.report.study_report import read_study

    plan = make_plan(request)
    _require_results(request.output_dir)
    wanted = {real_path(result_path(scan, request.output_dir)) for scan in plan.selection.scans}
    scans = [s for s in read_study(request.output_dir) if s.result is not None and real_path(s.result) in wanted]
    with progress("reporting scans", total=len(scans)) as step:
        reasons = write_scan_reports(scans, overwrite=True, step=step)
    write_subject_pages(request.output_dir, {scan.subject for scan in scans if scan.subject})
    return len(scans) - len(reasons), reasons


def _require_results(output_dir: Path) -> None:
    """Make sure that scans were harmonized."""
    if not (output_dir / RESULT_TABLE).exists():
        raise MissingFileError(
            f"{output_dir} has no {RESULT_TABLE}, expected results of the level participant", "run that level first"
        )
