"""The level of the group: what became of all scans of the data set, and the report of the study."""

from dataclasses import dataclass
from pathlib import Path

from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.derivatives import result_path
from hail_mri.apps.bids.plan import make_plan
from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.result_table import RESULT_TABLE
from hail_mri.errors import MissingFileError


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
    table_path = request.output_dir / RESULT_TABLE
    if not table_path.exists():
        raise MissingFileError(
            f"{request.output_dir} has no {RESULT_TABLE}, expected results of the level `participant`",
            "run that level first",
        )
    there = {scan: result_path(scan, request.output_dir).is_file() for scan in plan.selection.scans}
    report_path = write_study_report(request.output_dir, overwrite=True)
    done, missing = (tuple(scan for scan, found in there.items() if found is wanted) for wanted in (True, False))
    return Group(done, missing, report_path)


def report_scans(request: AppRequest) -> list[Path]:
    """Write the reports of scans again, from their results, and return where they are.

    Raises
    ------
    HailError
        If there is no result, or a report cannot be written.
    """
    from hail_mri.apps.bids.subject_page import write_subject_pages
    from hail_mri.provenance.sidecar import read_sidecar
    from hail_mri.report.scan_report import ReportFiles, scan_report_path, write_scan_report

    plan = make_plan(request)
    results = [(scan, result_path(scan, request.output_dir)) for scan in plan.selection.scans]
    written, subjects = [], []
    for scan, result in results:
        if not result.is_file():
            continue
        target = (result.parent / str(read_sidecar(result).get("Target"))).resolve()
        files = ReportFiles(scan.path, result, target, is_style_card=target.suffix == ".json")
        write_scan_report(files, scan_report_path(result), overwrite=True)
        written.append(scan_report_path(result))
        subjects.append(scan.subject)
    if not written:
        raise MissingFileError(f"{request.output_dir} has no results of these scans", "run it without --reports-only")
    return written + write_subject_pages(request.output_dir, subjects)
