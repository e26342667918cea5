"""The report of a scan beside its result; where it cannot be written, that is said, and the result stays."""

import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.apps.terminal import one_line, say
from hail_mri.errors import HailError
from hail_mri.provenance.free_paths import require_file_free

if TYPE_CHECKING:
    from hail_mri.apps.result_table import Outcome
    from hail_mri.report.scan_report import ReportFiles


def require_report_free(request: ScanRequest, *, overwrite: bool) -> None:
    """Make sure, before anything is computed, that a report may be written; raises as `require_file_free`."""
    from hail_mri.report.scan_report import scan_report_path

    require_file_free(scan_report_path(request.output), overwrite=overwrite)


def report_scan(request: ScanRequest, target: TargetFiles, *, overwrite: bool) -> Path | None:
    """
    Write the report of a result that is there.

    Returns
    -------
    Path or None
        Of the report; None if it could not be written, which is said as a warning.
    """
    from hail_mri.report.scan_report import ReportFiles

    files = ReportFiles(
        source=request.source,
        result=request.output,
        target=target.path,
        is_style_card=target.is_style_card,
        brain_mask=request.brain_mask,
        lesion_mask=request.lesion_mask,
    )
    return _written(files, overwrite=overwrite)


def report_outcomes(outcomes: "Iterable[Outcome]", *, overwrite: bool) -> None:
    """Write the report of each result of a batch; those that are there from an earlier run stay, unless overwritten."""
    from hail_mri.report.scan_report import files_of_result, scan_report_path

    for outcome in outcomes:
        if outcome.output is None or outcome.status not in ("done", "done already"):
            continue
        if outcome.status == "done already" and scan_report_path(outcome.output).exists() and not overwrite:
            continue
        try:
            files = files_of_result(outcome.output)
        except HailError as error:
            _say_missing(outcome.output, one_line(error))
        else:
            _written(files, overwrite=True)


def _written(files: "ReportFiles", *, overwrite: bool) -> Path | None:
    """Write a report; say so where that fails."""
    from hail_mri.report.scan_report import scan_report_path, write_scan_report

    path = scan_report_path(files.result)
    try:
        write_scan_report(files, path, overwrite=overwrite)
    except HailError as error:
        _say_missing(files.result, one_line(error))
    except Exception as error:  # noqa: BLE001
        # A bug of ours, shown in full; the result is there, and right.
        traceback.print_exc()
        _say_missing(files.result, f"internal error, {error!r}")
    else:
        return path
    return None


def _say_missing(result: Path, reason: str) -> None:
    """Say that there is no report."""
    say("warning", f"{result} is done, but its report could not be written: {reason}")
