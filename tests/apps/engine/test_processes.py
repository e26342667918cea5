"""Real processes: the same bits whatever their number, and what happens when one dies."""

from collections import deque
from dataclasses import replace
from threading import Event, Thread

import nibabel as nib
import numpy as np
import psutil
import pytest

from hail_mri.apps.engine.jobs import RunChoices, Task
from hail_mri.apps.engine.processes import on_processes
from hail_mri.apps.engine.states import read_states
from hail_mri.apps.engine.worker import MODULE
from hail_mri.apps.engine.workers import Workers
from hail_mri.harmonize.check import ChecksFailedError


@pytest.mark.parametrize("n_processes", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_results_have_the_same_bits_whatever_the_number_of_processes(study, undisturbed, n_processes):
    outcomes = study.run(Workers(n_processes=n_processes))

    assert [outcome.status for outcome in outcomes] == ["done"] * len(study.sources)
    assert study.hashes == undisturbed.hashes
    assert [row["output"] for row in study.rows] == [row["output"] for row in undisturbed.rows]


def test_a_worker_that_is_killed_is_replaced_and_its_scan_is_tried_again(study, undisturbed):
    with Killer(study, "sub-00_T1w.nii.gz", n_kills=1):
        outcomes = study.run(Workers(n_processes=1))

    assert [outcome.status for outcome in outcomes] == ["done"] * len(study.sources)
    assert [row["attempts"] for row in study.rows] == ["2"] + ["1"] * (len(study.sources) - 1)
    assert study.hashes == undisturbed.hashes


def test_a_scan_that_kills_its_worker_twice_is_recorded_with_the_signal_and_the_others_are_done(study, undisturbed):
    with Killer(study, "sub-01_T1w.nii.gz", n_kills=2):
        outcomes = study.run(Workers(n_processes=1))

    statuses = {outcome.source.name: outcome.status for outcome in outcomes}
    assert statuses == {path.name: "done" for path in study.sources} | {"sub-01_T1w.nii.gz": "failed"}
    row = study.rows[1]
    assert "its process ended by signal SIGKILL, as where memory is short" in row["message"]
    assert (row["status"], row["attempts"], row["result_sha256"]) == ("failed", "2", "n/a")
    assert study.hashes == {n: h for n, h in undisturbed.hashes.items() if n != "sub-01_T1w.nii.gz"}
    again = study.run(Workers(n_processes=1))
    assert {outcome.status for outcome in again} == {"done", "done already"}
    assert study.hashes == undisturbed.hashes


def test_nothing_is_left_of_the_workers_when_a_run_is_interrupted(study):
    attempts = on_processes(tasks_of(study), Workers(n_processes=2), threads=1)
    next(attempts)
    workers = workers_of()

    attempts.close()

    assert len(workers) == 2
    assert not any(worker.is_running() for worker in workers)


def test_a_target_that_fails_its_checks_ends_the_run_and_leaves_nothing(study):
    refusing = replace(study, settings=replace(study.settings, force=False))

    with pytest.raises(ChecksFailedError, match=r"target\.nii\.gz fails"):
        refusing.run(Workers(n_processes=2))

    assert not study.output.exists()


def test_a_scan_larger_than_the_machine_is_refused_and_the_others_are_done(study, tmp_path):
    huge = nib.Nifti1Image(np.zeros((8, 8, 8), np.float32), np.eye(4))
    huge.header["dim"][1:4] = 30_000
    (tmp_path / "huge.nii").write_bytes(huge.header.binaryblock + bytes(4096))
    with_huge = replace(study, sources=[tmp_path / "huge.nii", *study.sources[:2]])

    outcomes = with_huge.run(Workers(n_processes=2))

    assert [outcome.status for outcome in outcomes] == ["failed", "done", "done"]
    assert "its header tells of a scan that takes about 540,00" in outcomes[0].message


def test_a_scan_that_does_not_fit_the_budget_runs_alone(study):
    workers = Workers(n_processes=2, memory_gb=0.1)

    attempts = on_processes(tasks_of(study, 2), workers, threads=1)

    for _ in attempts:
        assert len(workers_of()) == 1


def tasks_of(study, n_scans: int | None = None) -> deque[Task]:
    choices = RunChoices(study.output, "run", overwrite=False, reports=False, threads=1)
    return deque(Task(number, job, choices) for number, job in enumerate(study.jobs[:n_scans]))


def workers_of() -> list[psutil.Process]:
    """Return the workers of this process, which may have other children: of other tests, a browser's say."""
    return [child for child in psutil.Process().children() if MODULE in child.cmdline()]


class Killer(Thread):
    """Kill the worker of a study, as the system does when memory is short, each time it has begun with a scan."""

    def __init__(self, study, source: str, *, n_kills: int) -> None:
        super().__init__(daemon=True)
        self._study, self._source, self._n_kills = study, source, n_kills
        self._over = Event()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        attempts = 0
        while attempts < self._n_kills and not self._over.wait(0.002):
            for state in read_states(self._study.output):
                if state.source.endswith(self._source) and state.status == "running" and state.attempts > attempts:
                    attempts = state.attempts
                    (worker,) = workers_of()
                    worker.kill()
