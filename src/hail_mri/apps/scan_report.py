"""The report of a scan beside its result; where it cannot be written, that is said, and the result stays."""

import traceback
from pathlib import Path

from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.apps.terminal import one_line, say
from hail_mri.errors import HailError
from hail_mri.provenance.free_paths import require_file_free


def require_report_free(request: ScanRequest, *, overwrite: bool) -> None:
    """Make sure, before anything is computed, that a report may be written; raises as `require_file_free`."""
    from hail_mri.report.report_state import scan_report_path

    require_file_free(scan_report_path(request.output), overwrite=overwrite)


def report_scan(request: ScanRequest, target: TargetFiles, *, overwrite: bool) -> Path | None:
    """
    Write the report of a result that is there.

    Returns
    -------
    Path or None
        Of the report; None if it could not be written, which is said as a warning.
    """
    try:
        return write_report(request, target, overwrite=overwrite)
    except HailError as error:
        _say_missing(request.output, one_line(error))
    except Exception as error:  # noqa: BLE001
        # A bug of ours, shown in full; the result is there, and right.
        traceback.print_exc()
        _say_missing(request.output, f"internal error, {error!r}")
    return None


def write_report(request: ScanRequest, target: TargetFiles, *, overwrite: bool) -> Path:
    """Write the report of a result that is there, and return its path; raises as `write_scan_report`."""
    from hail_mri.report.report_state import scan_report_path
    from hail_mri.report.scan_report import ReportFiles, write_scan_report

    files = ReportFiles(
        source=request.source,
        result=request.output,
        target=target.path,
        is_style_card=target.is_style_card,
        brain_mask=request.brain_mask,
        lesion_mask=request.lesion_mask,
    )
    path = scan_report_path(request.output)
    write_scan_report(files, path, overwrite=overwrite)
    return path


def _say_missing(result: Path, reason: str) -> None:
    """Say that there is no report."""
    say("warning", f"{result} is done, but its report could not be written: {reason}")
