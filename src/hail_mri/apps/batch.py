"""Many scans with one target, one after the other; a scan that fails does not stop the rest."""

import time
import traceback
from pathlib import Path

from hail_mri.apps.earlier import earlier_report
from hail_mri.apps.requests import Batch, ScanRequest, requests_of_batch, require_possible
from hail_mri.apps.result_table import RESULT_TABLE, Outcome, is_result_table, write_outcomes
from hail_mri.apps.scan import FileHarmonizer, Report
from hail_mri.apps.scan_files import Target, TargetFiles, read_scan, read_target
from hail_mri.apps.terminal import one_line, progress
from hail_mri.errors import HailError
from hail_mri.harmonize.check import failures
from hail_mri.harmonize.settings import HarmonizeSettings


def harmonize_batch(
    source: Path,
    output: Path | None,
    brain_mask: Path | None,
    target_files: TargetFiles,
    settings: HarmonizeSettings,
    *,
    lesion_mask: Path | None = None,
    overwrite: bool,
) -> tuple[list[Outcome], Path]:
    """Harmonize the scans of a folder or a table to one target, and keep a table of what became of them.

    Parameters
    ----------
    source : Path
        A folder or a table of requests.
    output : Path or None
        Folder for the results; None for a table's own folder.
    brain_mask, lesion_mask : Path or None
        Refused: they cannot be masks of many scans.
    target_files : TargetFiles
    settings : HarmonizeSettings
    overwrite : bool

    Returns
    -------
    outcomes : list of Outcome
        One for each image: first what is skipped and what was done already, then the others in their order.
    table_path : Path
        `harmonized.tsv` among the results: source, output (relative to the table's folder), status, message, seconds.
        It is complete after every scan, so that nothing is lost when the run is stopped; a later run goes on with what
        is missing.

    Raises
    ------
    HailError
        Before the first scan, if any result could not be written or the target cannot be had; nothing is left behind.

    Notes
    -----
    A result of a scan that fails a check, made with `force`, is done for runs that force, too. For others the scan
    fails as any would, and the result stays as it is.
    """
    batch = requests_of_batch(source, output, brain_mask, lesion_mask)
    table_path = (source.parent if output is None else output) / RESULT_TABLE
    inputs = target_files.read if source.is_dir() else [*target_files.read, source]
    target = read_target(target_files)
    reports = {} if overwrite else _earlier_reports(batch, target, settings, target_files)
    done = {request: report for request, report in reports.items() if settings.force or not _has_failures(report)}
    missing = [request for request in batch.requests if request not in done]
    # Not those that were forced: they will fail, and if not, what is there is not replaced.
    new = [request for request in missing if request not in reports]
    rewrite_table = is_result_table(table_path)
    require_possible(new, inputs, table_path=table_path, overwrite=overwrite, rewrite_table=rewrite_table)
    outcomes = [Outcome(path, None, "skipped", reason) for path, reason in batch.skipped]
    outcomes += [Outcome(r.source, r.output, "done already", _message(told), report=told) for r, told in done.items()]
    if not missing:
        write_outcomes(outcomes, table_path)
        return outcomes, table_path
    harmonizer = FileHarmonizer(target, settings, overwrite=overwrite)
    with progress("harmonizing", total=len(missing)) as advance:
        for request in missing:
            outcomes.append(_attempt(request, harmonizer))
            write_outcomes(outcomes, table_path)
            advance()
    return outcomes, table_path


def _earlier_reports(
    batch: Batch, target: Target, settings: HarmonizeSettings, target_files: TargetFiles
) -> dict[ScanRequest, Report]:
    """Return the requests whose results are there, with what was said of them."""
    reports = {r: earlier_report(r, target.file, settings, target_files) for r in batch.requests}
    return {request: report for request, report in reports.items() if report is not None}


def _has_failures(report: Report) -> bool:
    """Return whether a result, its source or its target failed a check."""
    return any(failures(checks) for checks in report.checks.values())


def _attempt(request: ScanRequest, harmonizer: FileHarmonizer) -> Outcome:
    """Harmonize one scan and say what became of it."""
    start = time.perf_counter()
    try:
        report = harmonizer.run(read_scan(request), request.output)
    except HailError as error:
        message = _with_name(request.source, one_line(error))
    except Exception as error:  # noqa: BLE001
        # A bug of ours: shown in full, but the other scans of a night's run should not pay for it.
        traceback.print_exc()
        message = _with_name(request.source, f"internal error, {error!r}")
    else:
        seconds = time.perf_counter() - start
        return Outcome(request.source, request.output, "done", _message(report), seconds, report)
    known = Report((), {"Source": (), "Target": harmonizer.target_checks, "Result": ()})
    return Outcome(request.source, request.output, "failed", message, time.perf_counter() - start, known)


def _message(report: Report) -> str:
    """Return what is to be known of a result: its warnings, and the checks that are not ok."""
    names = {"Source": "", "Target": "target: ", "Result": "result: "}
    odd = [f"{name}{c}" for part, name in names.items() for c in report.checks[part] if c.verdict != "ok"]
    return "; ".join([*report.warnings, *odd])


def _with_name(source: Path, message: str) -> str:
    """Return a message that says which scan it is about."""
    return message if str(source) in message else f"{source}: {message}"
