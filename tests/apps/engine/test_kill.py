"""Runs and workers that are killed at random moments, as by a power cut, and started again until all is done."""

import itertools
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

import hail_mri
from hail_mri.apps.engine.states import read_states, write_state
from hail_mri.apps.engine.workers import Workers
from hail_mri.provenance.atomic_write import TAIL
from hail_mri.provenance.sidecar import sidecar_path

SECONDS = 120.0  # that anything may take on a busy machine
WORK = 4.0  # s; most of what six heads take two workers, once these are there


@pytest.fixture
def start(study, heads) -> Callable[[], subprocess.Popen]:
    """Return a function that starts the command on all heads, with two workers."""
    environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
    command = [sys.executable, "-m", "hail_mri", "harmonize", str(heads / "in"), "--target", str(study.target)]
    command += ["-o", str(study.output), "--model", study.settings.model, "--force", "--workers", "2"]

    def start() -> subprocess.Popen:
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    return start


@pytest.mark.parametrize("n_kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_at_random_moments_ends_as_an_undisturbed_one(study, undisturbed, start, n_kills):
    chance = random.Random(n_kills)
    killed, number = 0, itertools.count()
    while killed < n_kills:
        run = start()
        wait_for_a_moment(run, study, chance)
        killed += kill_run(run) if chance.random() < 0.5 else kill_worker(run, chance)
        assert_nothing_is_truncated(study, undisturbed)
        if study.table_path.exists() and len(study.rows) == len(study.sources):  # all done: begin anew, elsewhere
            assert_complete(study, undisturbed)
            study.output.rename(study.output.with_name(f"done-{next(number)}"))

    assert start().wait(SECONDS) == 0
    assert_complete(study, undisturbed)
    assert not hidden_files(study.output)


def wait_for_a_moment(run: subprocess.Popen, study, chance: random.Random) -> None:
    """Wait until a run may have read a few scans, or for less than it takes to start."""
    if chance.random() < 0.25:
        time.sleep(chance.uniform(0.0, WORK))
        return
    before = {state.changed: state for state in read_states(study.output)}
    deadline = time.monotonic() + SECONDS
    while run.poll() is None and {state.changed: state for state in read_states(study.output)} == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, WORK))


def kill_run(run: subprocess.Popen) -> int:
    """Kill a run, see that its workers end, and return how many runs that were alive were killed."""
    try:
        workers = psutil.Process(run.pid).children()
    except psutil.NoSuchProcess:
        workers = []
    was_alive = run.poll() is None
    run.kill()
    run.wait()
    _, left = psutil.wait_procs(workers, timeout=SECONDS)
    assert not left
    return was_alive


def kill_worker(run: subprocess.Popen, chance: random.Random) -> int:
    """Kill a worker of a run and let the run end; return whether there was one."""
    workers = [] if run.poll() is not None else psutil.Process(run.pid).children()
    if workers:
        chance.choice(workers).kill()
    _, words = run.communicate(timeout=SECONDS)
    assert run.returncode == 0, words
    return len(workers) > 0


def assert_nothing_is_truncated(study, undisturbed) -> None:
    hashes = study.hashes if study.output.exists() else {}
    assert hashes == {name: undisturbed.hashes[name] for name in hashes}
    for name in hashes:
        assert sidecar_path(study.output / name).is_file()


def assert_complete(study, undisturbed) -> None:
    assert study.hashes == undisturbed.hashes
    assert [row["output"] for row in sorted(study.rows, key=lambda row: row["output"])] == sorted(undisturbed.hashes)
    assert {row["status"] for row in study.rows} <= {"done", "done already"}
    told = [(row["source_sha256"], row["result_sha256"]) for row in sorted(study.rows, key=lambda row: row["output"])]
    assert told == [(row["source_sha256"], row["result_sha256"]) for row in undisturbed.rows]
    assert {state.status for state in read_states(study.output)} == {"done"}


def hidden_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if path.is_file()]


@pytest.fixture
def killed_at_renaming(study) -> Path:
    """Leave what a run leaves that is killed between the names of a sidecar and its result; return the result."""
    first = replace(study, sources=study.sources[:1])
    first.run(Workers(n_processes=0))
    (result,) = study.output.glob("*.nii.gz")
    result.rename(result.with_name(f".{'0' * 32}.{result.name[-TAIL:]}"))
    study.table_path.unlink()
    (state,) = read_states(study.output)
    write_state(replace(state, status="running"), study.output)
    return result


def test_what_a_killed_process_was_writing_is_removed_and_made_again(study, undisturbed, killed_at_renaming):
    of_others = [study.output / f".{'0' * 32}.somebody.nii.gz", study.output / ".hidden"]
    for path in of_others:
        path.touch()

    outcomes = study.run(Workers(n_processes=0))

    assert {outcome.status for outcome in outcomes} == {"done"}
    assert study.hashes == undisturbed.hashes
    assert set(hidden_files(study.output)) == set(of_others)
    assert {row["output"]: row["attempts"] for row in study.rows}[killed_at_renaming.name] == "2"


def test_a_sidecar_without_a_result_is_kept_if_no_state_tells_that_a_run_was_killed(study, killed_at_renaming):
    (state,) = read_states(study.output)
    write_state(replace(state, status="done"), study.output)

    outcomes = study.run(Workers(n_processes=0))

    (failed,) = [outcome for outcome in outcomes if outcome.failed]
    assert "_T1w.json exists" in failed.message
    assert sidecar_path(killed_at_renaming).is_file()
