"""What is done once scans are harmonized: reports of scans again, and the report of the study."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.derivatives import describe_output, result_path
from hail_mri.apps.bids.plan import make_plan
from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.result_table import read_results
from hail_mri.apps.terminal import progress
from hail_mri.errors import MissingFileError
from hail_mri.provenance.folder_names import RESULT_TABLE
from hail_mri.provenance.hashes import file_sha256
from hail_mri.provenance.links import real_path
from hail_mri.provenance.tables import NO_VALUE


@dataclass(frozen=True)
class Group:
    """What is there of a study.

    Attributes
    ----------
    done : tuple of BidsScan
        Scans whose result is there, and is what the table of results says.
    missing : mapping of BidsScan to str
        Scans that have none, each with the reason.
    report_path : Path
    """

    done: tuple[BidsScan, ...]
    missing: Mapping[BidsScan, str]
    report_path: Path


def report_group(request: AppRequest) -> Group:
    """Write the report of a study, from the table of results and the results themselves.

    Raises
    ------
    HailError
        If nothing was harmonized yet, or the report cannot be written.
    """
    from hail_mri.report.study_report import write_study_report

    # What was asked of masks is not known here: a result that is there is one, with or without.
    plan = make_plan(replace(request, lesion_masks="none"))
    _require_results(request.output_dir)
    describe_output(request.output_dir, plan.dataset)  # results of an earlier version may know less of what lies there
    listed = _rows_by_result(request.output_dir)
    reasons = {scan: _missing(scan, result_path(scan, request.output_dir), listed) for scan in plan.selection.scans}
    missing = {scan: reason for scan, reason in reasons.items() if reason} | dict(plan.unusable)
    with progress("measuring", total=len(reasons)) as step:
        n_processes = max(1, request.n_processes or 1)
        report_path = write_study_report(request.output_dir, overwrite=True, n_processes=n_processes, step=step)
    return Group(tuple(scan for scan, reason in reasons.items() if not reason), missing, report_path)


def _rows_by_result(output_dir: Path) -> dict[Path, dict[str, str]]:
    """Return the rows of the table of results, by their results; those without one by their sources."""
    rows = read_results(output_dir / RESULT_TABLE)
    return {real_path(output_dir / row["output" if row["output"] != NO_VALUE else "source"]): row for row in rows}


def _missing(scan: BidsScan, result: Path, listed: Mapping[Path, Mapping[str, str]]) -> str:
    """Return why a scan has no result, by the table of results; nothing if it has one."""
    row = listed.get(real_path(result), listed.get(real_path(scan.path)))
    if row is None:
        return "it has no result"
    if not row["status"].startswith("done"):
        return f"it has {row['status']}: {row['message']}" if row["status"] == "failed" else "it has no result"
    if not result.is_file():
        return f"{result} does not exist any more"
    if row["result_sha256"] not in (NO_VALUE, file_sha256(result)):
        return f"{result} is not the file that {RESULT_TABLE} tells of"
    return ""


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

    plan = make_plan(replace(request, lesion_masks="none", brain_masks="none"))  # results are there, with or without
    _require_results(request.output_dir)
    wanted = {real_path(result_path(scan, request.output_dir)) for scan in plan.selection.scans}
    scans = [s for s in read_study(request.output_dir) if s.result is not None and real_path(s.result) in wanted]
    with progress("reporting scans", total=len(scans)) as step:
        reasons = write_scan_reports(scans, overwrite=True, step=step)
    # Labels of the data set: what the table calls a subject may be anything.
    subjects = {scan.subject for scan in plan.selection.scans}
    write_subject_pages(request.output_dir, subjects & {scan.subject for scan in scans})
    return len(scans) - len(reasons), reasons


def _require_results(output_dir: Path) -> None:
    """Make sure that scans were harmonized."""
    if not (output_dir / RESULT_TABLE).exists():
        raise MissingFileError(
            f"{output_dir} has no {RESULT_TABLE}, expected results of the level participant", "run that level first"
        )
