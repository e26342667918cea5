"""Runs and workers that are killed at random moments, as by a power cut, and started again until all is done."""

import itertools
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import hail_mri
import kills
from hail_mri.apps.engine.states import read_states, write_state
from hail_mri.apps.engine.workers import Workers
from hail_mri.provenance.atomic_write import TAIL
from hail_mri.provenance.sidecar import sidecar_path

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
        kills.wait_for_a_moment(run, study.output, chance, WORK)
        killed += kills.kill_run(run) if chance.random() < 0.5 else kills.kill_worker(run, chance)
        assert_nothing_is_truncated(study, undisturbed)
        if study.table_path.exists() and len(study.rows) == len(study.sources):  # all done: begin anew, elsewhere
            assert_complete(study, undisturbed)
            study.output.rename(study.output.with_name(f"done-{next(number)}"))

    assert start().wait(kills.SECONDS) == 0
    assert_complete(study, undisturbed)
    assert not kills.hidden_files(study.output)


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
    assert set(kills.hidden_files(study.output)) == set(of_others)
    assert {row["output"]: row["attempts"] for row in study.rows}[killed_at_renaming.name] == "2"


def test_a_sidecar_without_a_result_is_kept_if_no_state_tells_that_a_run_was_killed(study, killed_at_renaming):
    (state,) = read_states(study.output)
    write_state(replace(state, status="done"), study.output)

    outcomes = study.run(Workers(n_processes=0))

    (failed,) = [outcome for outcome in outcomes if outcome.failed]
    assert "_T1w.json exists" in failed.message
    assert sidecar_path(killed_at_renaming).is_file()
