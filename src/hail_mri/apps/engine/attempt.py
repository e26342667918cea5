"""One attempt at a job, in whichever process: harmonize the scan, keep its state, and say what became of it.

Nothing but an interruption leaves `make_attempt`: whatever is wrong with one scan is its outcome.
"""

import time
import traceback
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from threading import Lock

from hail_mri.apps.engine.jobs import Attempt, RunChoices, ScanJob, Task
from hail_mri.apps.engine.leftovers import clear_hidden, clear_leftovers
from hail_mri.apps.engine.outcomes import earlier_result, failed_outcome, outcome_of_result, with_report
from hail_mri.apps.engine.states import (
    ERRORS,
    State,
    job_hashes,
    job_key,
    new_state,
    read_state,
    state_path,
    write_state,
)
from hail_mri.apps.result_table import Outcome
from hail_mri.apps.scan import FileHarmonizer, Report
from hail_mri.apps.scan_files import TargetFiles, read_scan, read_target
from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError
from hail_mri.harmonize.check import ChecksFailedError
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.environment import peak_memory_mib, restart_peak_memory
from hail_mri.provenance.folder_names import STATE_DIR
from hail_mri.provenance.hashes import InputFile

MOST_TARGETS = 4  # kept by a process, each with the weights of its model

_Kept = tuple[TargetFiles, HarmonizeSettings, bool, tuple[str, ...]]
_harmonizers: OrderedDict[_Kept, FileHarmonizer] = OrderedDict()
# A worker of a cluster may have several threads, but the number of threads that compute is one of the process.
_one_at_a_time = Lock()


def make_attempt(task: Task) -> Attempt:
    """Harmonize one scan to its target, or find that it is done, and say what became of it."""
    with _one_at_a_time:
        start = time.perf_counter()
        restart_peak_memory()
        settings = replace(task.job.settings, threads=task.choices.threads)
        task = replace(task, job=replace(task.job, settings=settings))
        job, choices = task.job, task.choices
        try:
            done = None if choices.overwrite else earlier_result(job)
            if done is not None:
                return Attempt(task, _found(task, done))
            harmonizer = _harmonizer(job, choices)
        except HailError as error:
            outcome = failed_outcome(job, one_line(error), time.perf_counter() - start)
            return Attempt(task, outcome, setup_error=error)
        except Exception as error:  # noqa: BLE001
            return _failed(task, error, start)
        return _harmonize(task, harmonizer, start)


def _found(task: Task, report: Report) -> Outcome:
    """Return the outcome of a job whose result is there, perhaps by a process that did not live to say so."""
    job, choices = task.job, task.choices
    state = read_state(state_path(choices.states_dir, job_key(job_hashes(job), job, choices.states_dir)))
    outcome = outcome_of_result(job, "done already", report)
    if state is not None:
        outcome = replace(outcome, attempts=state.attempts)
        if state.run == choices.run:
            outcome = replace(outcome, status="done")
        if state.status != "done":
            write_state(replace(state, status="done"), choices.states_dir)
    return with_report(outcome, job, overwrite=False) if choices.reports else outcome


def _harmonize(task: Task, harmonizer: FileHarmonizer, start: float) -> Attempt:
    """Harmonize one scan, the target being ready."""
    job, choices = task.job, task.choices
    known = Report((), {"Source": (), "Target": harmonizer.target_checks, "Result": ()})
    state = None
    try:
        hashes = job_hashes(job)
        key = job_key(hashes, job, choices.states_dir)
        path = state_path(choices.states_dir, key)
        clear_hidden((path,))
        before = read_state(path)
        state = new_state(job, key, choices)
        write_state(state, choices.states_dir)
        if before is not None and before.status != "done":  # perhaps by a process that is gone
            clear_leftovers(job.request.output)
        report = harmonizer.run(read_scan(job.request), job.request.output)
        outcome = outcome_of_result(job, "done", report)
        if choices.reports:
            outcome = with_report(outcome, job, overwrite=choices.overwrite)
        outcome = replace(outcome, seconds=time.perf_counter() - start, attempts=state.attempts)
        _end(replace(state, status="done", seconds=round(outcome.seconds, 3)), choices)
    except Exception as error:  # noqa: BLE001
        return _failed(task, error, start, state, known)
    return Attempt(task, outcome)


def _failed(
    task: Task, error: Exception, start: float, state: State | None = None, known: Report | None = None
) -> Attempt:
    """Return what came of a task that ended with an error, and keep it as its state."""
    job, choices = task.job, task.choices
    if isinstance(error, ChecksFailedError) and known is not None:
        known = replace(known, checks={**known.checks, "Result" if error.of_result else "Source": error.checks})
    reason = _reason(error, job, choices)
    outcome = failed_outcome(job, reason, time.perf_counter() - start, known)
    with suppress(HailError):
        outcome = replace(outcome, hashes=job_hashes(job), peak_memory_mib=peak_memory_mib())
    if state is not None:
        outcome = replace(outcome, attempts=state.attempts)
        message, seconds = outcome.message, round(outcome.seconds, 3)
        with suppress(HailError):  # a full disk, say; the outcome is told nevertheless
            _end(replace(state, status="failed", message=message, seconds=seconds), choices)
    # The same scan has the same checks.
    return Attempt(task, outcome, worth_retrying=not isinstance(error, ChecksFailedError))


def _reason(error: Exception, job: ScanJob, choices: RunChoices) -> str:
    """Return in one line what went wrong; of a bug of ours the whole trace goes to a file."""
    if isinstance(error, HailError):
        return one_line(error)
    if isinstance(error, MemoryError) or "allocate memory" in str(error) or "bad_alloc" in str(error):
        return "there is not enough memory for it. Give it more, or take fewer workers."
    key = job_key({}, job, choices.states_dir)
    path = choices.states_dir / STATE_DIR / ERRORS / f"{key[:16]}.txt"
    trace = "".join(traceback.format_exception(error))
    with suppress(HailError):
        write_together([path], lambda hidden: hidden[path].write_text(trace, "utf-8", "backslashreplace"))
    return f"internal error, {error!r}; please report it with {path}"


def _end(state: State, choices: RunChoices) -> None:
    """Write how an attempt ended, unless a later run has taken the job over meanwhile."""
    now = read_state(state_path(choices.states_dir, state.key))
    if now is None or now.run == choices.run:
        write_state(state, choices.states_dir)


def _harmonizer(job: ScanJob, choices: RunChoices) -> FileHarmonizer:
    """Return the harmonizer for a target, kept from an earlier job if nothing about it has changed."""
    from hail_mri.model.weights import weights_hash

    files = [path for path in job.target.read if path.exists() or path == job.target.path]
    hashes = (*(InputFile.read(path).sha256 for path in files), weights_hash(job.settings.model))
    kept = (job.target, job.settings, choices.overwrite, hashes)
    if kept not in _harmonizers:
        while len(_harmonizers) >= MOST_TARGETS:
            _harmonizers.popitem(last=False)
        _harmonizers[kept] = FileHarmonizer(read_target(job.target), job.settings, overwrite=choices.overwrite)
    _harmonizers.move_to_end(kept)
    return _harmonizers[kept]


def forget_targets() -> None:
    """Give back the memory of the targets that are kept."""
    _harmonizers.clear()
