"""What is said of a job that is over: a result that is there, with its sidecar and its report, or why there is none."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hail_mri.apps.earlier import earlier_report
from hail_mri.apps.engine.jobs import ScanJob, mask_paths
from hail_mri.apps.result_table import Outcome, Status
from hail_mri.apps.scan import Report
from hail_mri.apps.scan_report import write_report
from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError
from hail_mri.harmonize.check import failures
from hail_mri.provenance.sidecar import read_sidecar

# What a sidecar tells the hashes of, and what a row of results calls it.
HASHES = {name: name for name in ("Source", "Target", "Result", "Weights")}
HASHES |= {"BrainMask": "brain_mask", "LesionMask": "lesion_mask"}


def earlier_result(job: ScanJob) -> Report | None:
    """Return what was said of the result of a job, made of the same files with the same settings, or None.

    A result of a scan that fails a check is none for those who do not force.
    """
    report = any_earlier_result(job)
    return report if report is not None and (job.settings.force or not has_failures(report)) else None


def any_earlier_result(job: ScanJob) -> Report | None:
    """Return what was said of the result of a job, also of one that was forced."""
    if not job.request.output.exists():
        return None
    return earlier_report(job.request, job.settings, job.target)


def has_failures(report: Report) -> bool:
    """Return whether the source or the target of a result failed a check."""
    return any(failures(checks) for checks in report.checks.values())


def outcome_of_result(job: ScanJob, status: Status, report: Report) -> Outcome:
    """Return the outcome of a job whose result is there; its sidecar tells what it was made with."""
    told = read_sidecar(job.request.output)
    hashes, seconds, versions = (_mapping(told.get(name)) for name in ("Sha256", "Seconds", "Versions"))
    peak = told.get("PeakMemoryMiB")
    outcome = _outcome(job, status, message_of(report))
    return replace(
        outcome,
        seconds=sum(number for stage, number in seconds.items() if stage != "setup" and isinstance(number, float)),
        report=report,
        settings=_mapping(told.get("Settings")) or outcome.settings,
        peak_memory_mib=peak if isinstance(peak, float) else None,
        hashes={row: str(hashes[name]) for name, row in HASHES.items() if name in hashes},
        version=str(versions.get("hail-mri", outcome.version)),
        attempts=1,
    )


def failed_outcome(job: ScanJob, reason: str, seconds: float, report: Report | None = None) -> Outcome:
    """Return the outcome of a job without a result."""
    source = job.request.source
    message = reason if str(source) in reason else f"{source}: {reason}"
    outcome = _outcome(job, "failed", with_earlier(message, job.request.output))
    return replace(outcome, seconds=seconds, report=report, attempts=1)


def with_earlier(message: str, output: Path) -> str:
    """Return why there is no result, and that one is there nevertheless: of an earlier run, for instance."""
    if output.exists() and str(output) not in message:
        return f"{message}; {output} is there, but this row does not tell of it"
    return message


def message_of(report: Report) -> str:
    """Return what is to be known of a result: its warnings, and the checks that are not ok."""
    checks = [
        str(check) if name == "Source" else f"{name.lower()}: {check}"
        for name, found in report.checks.items()
        for check in found
        if check.verdict != "ok"
    ]
    return "; ".join([*report.warnings, *checks])


def current_report(job: ScanJob) -> Path | None:
    """Return the report of a job's result that is there; None if there is none, or one of another result."""
    from hail_mri.report.report_state import report_state, scan_report_path

    return scan_report_path(job.request.output) if report_state(job.request.output) == "current" else None


def with_report(outcome: Outcome, job: ScanJob, *, overwrite: bool) -> Outcome:
    """Write the report of a result that is there, and list it; a result stays done where that fails, which is said.

    Without `overwrite`, a report of this result stays, and so does a file that is no report of ours.
    """
    from hail_mri.report.report_state import report_state

    path = None if overwrite else current_report(job)
    if path is not None:
        return replace(outcome, html_report=path)
    try:
        is_stale = report_state(job.request.output) == "stale"
        path = write_report(job.request, job.target, overwrite=overwrite or is_stale)
    except Exception as error:  # noqa: BLE001
        reason = one_line(error) if isinstance(error, HailError) else f"internal error, {error!r}"
        message = "; ".join(filter(None, (outcome.message, f"there is no report: {reason}")))
        return replace(outcome, message=message)
    return replace(outcome, html_report=path)


def _outcome(job: ScanJob, status: Status, message: str) -> Outcome:
    """Return an outcome with what is known of any job."""
    return Outcome(
        job.request.source,
        job.request.output,
        status,
        message,
        names=job.names,
        target=job.target.path,
        settings=asdict(job.settings),
        masks=mask_paths(job.request),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    """Return an object of JSON, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}
