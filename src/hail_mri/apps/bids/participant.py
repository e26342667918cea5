"""The level of participants: harmonize the scans that were asked for."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from hail_mri.apps.bids.claims import claimed
from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.derivatives import describe_output, result_path
from hail_mri.apps.bids.medoid import measure_target
from hail_mri.apps.bids.plan import Plan, make_plan
from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.bids.saying import say_plan
from hail_mri.apps.bids.targets import Auto, Targets, find_targets
from hail_mri.apps.bids.validation import INSTALL, find_validator, require_valid
from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.terminal import say
from hail_mri.provenance.folder_names import RESULT_TABLE, STATE_DIR
from hail_mri.provenance.free_paths import require_file_free

if TYPE_CHECKING:
    from hail_mri.apps.engine.jobs import ScanJob
    from hail_mri.apps.engine.run_lock import RunLock
    from hail_mri.apps.engine.workers import Workers
    from hail_mri.apps.result_table import Outcome

NO_LESION = "no lesion: its mask is 0 everywhere"


def harmonize_participants(request: AppRequest) -> "list[Outcome]":
    """Harmonize the scans that were asked for, into a data set of derivatives.

    Raises
    ------
    HailError
        Before the first scan, if anything about the request is wrong; nothing is written then, or no more than what
        describes the results.

    Notes
    -----
    What is done already stays. Runs of some participants each may share the folder of results, at the same time, too.
    """
    from hail_mri.apps.engine.workers import Workers

    workers = Workers(
        n_processes=request.n_processes,
        threads=request.threads,
        memory_gb=request.memory_gb,
        dask_scheduler=request.dask_scheduler,
    )
    plan = make_plan(request)
    targets = find_targets(request, plan)
    validate(request)
    describe_output(request.output_dir, plan.dataset, plan.masks.roots)
    if isinstance(targets, Auto):
        targets = measure_target(targets, request, plan, workers)
    say_plan(request, plan, targets)
    with claimed(request.output_dir, {scan.subject for scan in plan.selection.scans}) as claim:
        outcomes = _run(request, plan, targets, workers, claim)
        if request.reports:
            from hail_mri.apps.bids.subject_page import write_subject_pages

            write_subject_pages(request.output_dir, {outcome.names["subject"] for outcome in outcomes if outcome.names})
    return outcomes


def _run(request: AppRequest, plan: Plan, targets: Targets, workers: "Workers", claim: "RunLock") -> "list[Outcome]":
    """Give the jobs to workers, and list what became of them in the table of all runs."""
    from hail_mri.apps.engine.run import run_jobs
    from hail_mri.apps.result_table import is_result_table, write_outcomes

    table_path, own_path = request.output_dir / RESULT_TABLE, run_dir(request) / RESULT_TABLE
    require_file_free(table_path, overwrite=request.overwrite or is_result_table(table_path))
    outcomes = run_jobs(
        jobs_of(request, plan, targets),
        own_path,
        workers,
        overwrite=request.overwrite,
        reports=request.reports,
        skipped=plan.selection.skipped,
        inputs=[] if targets.table_path is None else [targets.table_path],
        states_dir=request.output_dir,
    )
    outcomes += unusable_outcomes(request, plan, targets)
    claim.require_held()
    told = _with_lesion_notes(outcomes, plan)
    for path in dict.fromkeys((own_path, table_path)):
        write_outcomes(told, path)
    return outcomes


def _with_lesion_notes(outcomes: "list[Outcome]", plan: Plan) -> "list[Outcome]":
    """Return outcomes that tell which scans have no lesion by their masks; of all together it was said before."""
    healthy = {scan.path for scan in plan.selection.scans if plan.masks.has_no_lesion(scan)}
    return [
        replace(outcome, message="; ".join(filter(None, (outcome.message, NO_LESION))))
        if outcome.source in healthy
        else outcome
        for outcome in outcomes
    ]


def run_dir(request: AppRequest) -> Path:
    """Return the folder of a run's own table, which is complete after every scan.

    That of a run of all participants is the folder of results. On a cluster, jobs of one participant each share that at
    the same time: each adds its rows to the common table when it is done. What is kept of their scans, and who has
    which participant, is in one place for all.
    """
    from hail_mri.apps.engine.states import RUNS_DIR

    labels = sorted({label.removeprefix("sub-") for label in request.participants})
    if not labels:
        return request.output_dir
    name = f"sub-{labels[0]}" if len(labels) == 1 else f"{len(labels)}-{sha256(' '.join(labels).encode()).hexdigest()}"
    return request.output_dir / STATE_DIR / RUNS_DIR / name


def jobs_of(request: AppRequest, plan: Plan, targets: Targets) -> "list[ScanJob]":
    """Return a job for each scan that has a target."""
    from hail_mri.apps.engine.jobs import ScanJob

    return [
        ScanJob(
            ScanRequest(scan.path, result_path(scan, request.output_dir), **plan.masks.of(scan), label=str(scan.path)),
            targets.of_scan[scan],
            request.settings,
            names_of(scan, plan),
        )
        for scan in plan.selection.scans
        if scan in targets.of_scan and scan not in plan.masks.refused
    ]


def names_of(scan: BidsScan, plan: Plan) -> Mapping[str, str]:
    """Return subject, session and site of a scan, as far as there are any."""
    names = {"subject": scan.subject, "session": scan.session, "site": plan.sites.of_scan.get(scan, "")}
    return {name: value for name, value in names.items() if value}


def unusable_outcomes(request: AppRequest, plan: Plan, targets: Targets) -> "list[Outcome]":
    """Return the outcomes of scans that were asked for and cannot be harmonized, have unclear masks, or no target.

    They have the results that they would have: rows of earlier runs go by these. Twins share one, and a row for each.
    """
    without = {scan: _no_target(scan, plan) for scan in plan.selection.scans if scan not in targets.of_scan}
    unclear = {scan: plan.masks.refused[scan] for scan in plan.selection.scans if scan in plan.masks.refused}
    reasons = {**plan.unusable, **unclear, **without}
    return [
        _unusable(scan, result_path(scan, request.output_dir), reasons[scan], plan)
        for scan in sorted(reasons, key=lambda scan: scan.relative)
    ]


def _unusable(scan: BidsScan, output: Path, reason: str, plan: Plan) -> "Outcome":
    """Return the outcome of a scan that cannot be harmonized."""
    from hail_mri.apps.engine.outcomes import with_earlier
    from hail_mri.apps.result_table import Outcome

    message = with_earlier(f"{scan.path}: {reason}", output)
    return Outcome(scan.path, output, "failed", message, names=names_of(scan, plan))


def _no_target(scan: BidsScan, plan: Plan) -> str:
    """Return why a scan has no target, in words."""
    site = plan.sites.of_scan[scan]
    return f"no target is given for its site {site}" if site else "its site is not known, and targets go by site"


def validate(request: AppRequest) -> None:
    """Let the validator look at the data set, if it is installed and wanted."""
    if request.skip_validation:
        return
    validator = find_validator()
    if validator is None:
        say("note", f"the data set is not validated: no bids-validator is installed; {INSTALL}")
        return
    require_valid(request.dataset_dir, validator)
