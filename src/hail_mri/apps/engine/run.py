"""Run the jobs of a batch: what is done already stays, the rest is given to workers, and a table tells of all.

Killed at any moment and started again, a run finishes what is missing, and the results have the same bits as in one go.
A scan that fails is tried once more after all others, because a share may have been away; one that fails a check is
not, because it would again. Then it is recorded, and the others go on.
"""

import os
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from hail_mri.apps.engine.cluster import on_cluster
from hail_mri.apps.engine.in_process import in_this_process
from hail_mri.apps.engine.jobs import Attempt, RunChoices, ScanJob, Task
from hail_mri.apps.engine.leftovers import clear_hidden, clear_leftovers
from hail_mri.apps.engine.outcomes import any_earlier_result, current_report, has_failures, outcome_of_result
from hail_mri.apps.engine.processes import on_processes
from hail_mri.apps.engine.progress import batch_progress
from hail_mri.apps.engine.refused import refused_jobs, unreadable_targets
from hail_mri.apps.engine.run_lock import RunLock, run_lock
from hail_mri.apps.engine.states import (
    job_hashes,
    job_key,
    read_state,
    read_states,
    require_no_links,
    state_path,
    write_state,
)
from hail_mri.apps.engine.workers import Workers
from hail_mri.apps.requests import require_inside, require_possible
from hail_mri.apps.result_table import Outcome, is_result_table, write_outcomes
from hail_mri.apps.scan import Report
from hail_mri.provenance.lock import locked

MOST_ATTEMPTS = 2  # of one run at one scan


def run_jobs(
    jobs: Sequence[ScanJob],
    table_path: Path,
    workers: Workers,
    *,
    overwrite: bool,
    reports: bool = False,
    skipped: Sequence[tuple[Path, str]] = (),
    inputs: Sequence[Path] = (),
    states_dir: Path | None = None,
) -> list[Outcome]:
    """Harmonize many scans, and keep a table of what became of them.

    Parameters
    ----------
    jobs : sequence of ScanJob
    table_path : Path
        The table of results; it is complete after every scan. Its folder is locked while the run lasts.
    workers : Workers
    overwrite : bool
        Make all results again. Without it, those that are there and made of the same files with the same settings stay.
    reports : bool
        Write a report beside each result, too.
    skipped : sequence of (Path, str)
        Images that are left out, with the reason, for the table.
    inputs : sequence of Path
        Files that are read beside those of the jobs, such as a table of requests: none may be replaced.
    states_dir : Path or None
        Folder of results, below which is kept what becomes of jobs, in `.hail-mri/states`; None for that of the table.
        Runs with tables of their own, but one folder of results, give that: they know the jobs of each other then. All
        outputs have to lie in it, and no two runs may have the same one at the same time.

    Returns
    -------
    outcomes : list of Outcome
        First what is skipped, what was done already, and what cannot be begun: its target cannot be read, another job
        has the same output, or without `overwrite` a result of another scan, target or settings is in its place. Then
        the others in the order of their jobs.

    Raises
    ------
    HailError
        Before the first scan, if any result could not be written, the only target cannot be read or fails its checks,
        or the folder is in use; nothing is left behind then. Later, if the table cannot be written.

    Notes
    -----
    A result of a scan that fails a check, made with `force`, is done for runs that force, too. For others the scan
    fails as any would, and the result stays as it is.
    """
    states_dir = _checked_states_dir(jobs, table_path, states_dir)
    threads = _threads(jobs, workers)
    jobs = [replace(job, settings=replace(job.settings, threads=threads)) for job in jobs]
    unreadable = unreadable_targets(jobs)
    with run_lock(table_path.parent) as lock:
        _clear_earlier_runs(jobs, table_path, states_dir)
        earlier = {} if overwrite else _earlier_results(jobs)
        done = {n: r for n, r in earlier.items() if jobs[n].settings.force or not has_failures(r)}
        refused = refused_jobs(jobs, earlier, unreadable, overwrite=overwrite)
        # Not those that were forced: they will fail, and if not, what is there is not replaced.
        new = [job for number, job in enumerate(jobs) if number not in earlier and number not in refused]
        others = [path for job in jobs for path in (*job.request.read, *job.target.read)]
        require_possible(
            [job.request for job in new],
            [*others, *inputs],
            table_path=table_path,
            overwrite=overwrite,
            rewrite_table=is_result_table(table_path),
        )
        listed, without_report = _done_already(jobs, done, states_dir, reports=reports)
        first = [*(Outcome(path, None, "skipped", reason) for path, reason in skipped), *listed, *refused.values()]
        choices = RunChoices(states_dir, uuid4().hex, overwrite, reports, threads)
        missing = [n for n in range(len(jobs)) if n not in {*done, *refused} or n in without_report]
        tasks = deque(Task(number, jobs[number], choices) for number in missing)
        if not tasks:
            write_outcomes(first, table_path)
            return first
        one_target = len({job.target for job in jobs}) == 1
        return _work(first, tasks, table_path, workers, lock, one_target=one_target)


def _checked_states_dir(jobs: Sequence[ScanJob], table_path: Path, states_dir: Path | None) -> Path:
    """Return the folder of states, once it is known that it and all that is written lies where it should."""
    require_no_links(table_path.parent)
    if states_dir is None:
        return table_path.parent
    require_no_links(states_dir)
    for job in jobs:
        require_inside(job.request, states_dir)
    return states_dir


def _work(
    before: list[Outcome],
    tasks: deque[Task],
    table_path: Path,
    workers: Workers,
    lock: RunLock,
    *,
    one_target: bool,
) -> list[Outcome]:
    """Give tasks to workers until all are done; the table is written after each."""
    outcomes: dict[int, Outcome] = {}
    threads, total = tasks[0].choices.threads, len(tasks)
    with closing(_attempts(tasks, workers, threads)) as attempts, batch_progress(total) as advance:
        for found in attempts:
            lock.require_held()
            attempt = _record_death(found) if found.died else found
            if attempt.setup_error is not None and one_target:
                raise attempt.setup_error
            if attempt.worth_retrying and attempt.task.attempt < MOST_ATTEMPTS:
                tasks.append(replace(attempt.task, attempt=attempt.task.attempt + 1))
                continue
            outcomes[attempt.task.number] = attempt.outcome
            write_outcomes([*before, *(outcomes[number] for number in sorted(outcomes))], table_path)
            advance(attempt.outcome.failed)
    return [*before, *(outcomes[number] for number in sorted(outcomes))]


def _attempts(tasks: deque[Task], workers: Workers, threads: int) -> Generator[Attempt]:
    """Yield what came of each task, in whatever order; tasks that are added meanwhile are done, too."""
    if workers.n_processes == 0:
        return in_this_process(tasks)
    if workers.dask_scheduler is not None:
        return on_cluster(tasks, workers, threads)
    return on_processes(tasks, workers, threads)


def _threads(jobs: Sequence[ScanJob], workers: Workers) -> int:
    """Return how many threads compute each scan."""
    asked = (workers.threads, *(job.settings.threads for job in jobs))
    return next((threads for threads in asked if threads is not None), 1)


def _clear_earlier_runs(jobs: Sequence[ScanJob], table_path: Path, states_dir: Path) -> None:
    """Remove what runs that were killed have left of the results of these jobs, which nobody else is making."""
    with locked(table_path):  # of a table that runs share, another one may be writing just now
        clear_hidden((table_path,))
    outputs = {os.path.relpath(job.request.output, states_dir): job.request.output for job in jobs}
    for state in read_states(states_dir):
        # Of other outputs a state may tell anything, and another run may be at work on them.
        if state.output in outputs and state.status == "running":
            clear_leftovers(outputs[state.output])
            write_state(replace(state, status="interrupted"), states_dir)


def _earlier_results(jobs: Sequence[ScanJob]) -> dict[int, Report]:
    """Return what was said of the results that are there, by the numbers of their jobs."""
    reports = {number: any_earlier_result(job) for number, job in enumerate(jobs)}
    return {number: report for number, report in reports.items() if report is not None}


def _done_already(
    jobs: Sequence[ScanJob], done: dict[int, Report], states_dir: Path, *, reports: bool
) -> tuple[list[Outcome], set[int]]:
    """Return the outcomes of earlier runs, and the numbers of jobs that still want a report."""
    outcomes, without_report = [], set()
    for number, report in done.items():
        job = jobs[number]
        outcome = outcome_of_result(job, "done already", report)
        state = read_state(state_path(states_dir, job_key(job_hashes(job), job, states_dir)))
        if state is not None:
            outcome = replace(outcome, attempts=state.attempts)
            if state.status != "done":
                write_state(replace(state, status="done"), states_dir)
        path = current_report(job)
        if reports and path is None:
            without_report.add(number)
        else:
            outcomes.append(replace(outcome, html_report=path))
    return outcomes, without_report


def _record_death(attempt: Attempt) -> Attempt:
    """Keep, for a process that could not, that an attempt has failed."""
    job, choices = attempt.task.job, attempt.task.choices
    output = os.path.relpath(job.request.output, choices.states_dir)
    begun = [state for state in read_states(choices.states_dir) if (state.run, state.output) == (choices.run, output)]
    state = next((state for state in begun if state.status == "running"), None)
    if state is None:  # it died before it had begun
        return attempt
    write_state(replace(state, status="failed", message=attempt.outcome.message), choices.states_dir)
    return replace(attempt, outcome=replace(attempt.outcome, attempts=state.attempts))
