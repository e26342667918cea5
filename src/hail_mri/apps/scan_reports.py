"""The reports of all scans of a folder, again from what is on disk; one that fails does not stop the rest."""

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError
from hail_mri.report.report_state import report_state, scan_report_path
from hail_mri.report.scan_report import files_of_result, write_scan_report
from hail_mri.report.study.scans import StudyScan


def write_scan_reports(
    scans: Sequence[StudyScan], *, overwrite: bool, step: Callable[[], None] = lambda: None
) -> list[str]:
    """
    Write a report beside each result that is there.

    Parameters
    ----------
    scans : sequence of StudyScan
    overwrite : bool
        Replace all that is there; without it, only reports of another result than the one that is there now.
    step : callable
        Called after each scan.

    Returns
    -------
    reasons : list of str
        For each report that could not be written, why.
    """
    reasons = []
    for scan in scans:
        if scan.result is not None and (overwrite or report_state(scan.result) in ("missing", "stale")):
            reasons += _reason(scan.result)
        step()
    return reasons


def _reason(result: Path) -> list[str]:
    """Write one report, or return why it could not be written."""
    try:
        write_scan_report(files_of_result(result), scan_report_path(result), overwrite=True)
    except HailError as error:
        return [f"{result}: no report: {one_line(error)}"]
    except Exception as error:  # noqa: BLE001
        # A bug of ours: shown in full, but the other reports are not to pay for it.
        traceback.print_exc()
        return [f"{result}: no report: internal error, {error!r}"]
    return []
