"""Runs and workers that are killed at random moments, as by a power cut."""

import random
import subprocess
import time
from pathlib import Path

import psutil

from hail_mri.apps.engine.states import read_states

SECONDS = 120.0  # that anything may take on a busy machine
EARLY = 0.25  # of all kills come while a run may not have begun to work


def wait_for_a_moment(run: subprocess.Popen, output: Path, chance: random.Random, work: float) -> None:
    """Wait until a run may have read a few scans, or for less than it takes to start.

    Parameters
    ----------
    run : Popen
    output : Path
        Its folder of results.
    chance : random.Random
    work : float
        Seconds; most of what the scans take its workers, once these are there.
    """
    if chance.random() < EARLY:
        time.sleep(chance.uniform(0.0, work))
        return
    before = {state.changed: state for state in read_states(output)}
    deadline = time.monotonic() + SECONDS
    while run.poll() is None and {state.changed: state for state in read_states(output)} == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, work))


def kill_run(run: subprocess.Popen) -> int:
    """Kill a run, see that its workers end, and return how many runs that were alive were killed."""
    try:
        workers = psutil.Process(run.pid).children()
    except psutil.NoSuchProcess:
        workers = []
    was_alive = run.poll() is None
    run.kill()
    run.communicate()
    _, left = psutil.wait_procs(workers, timeout=SECONDS)
    assert not left
    return was_alive


def kill_a_worker(run: subprocess.Popen, chance: random.Random) -> int:
    """Kill a worker of a run, which goes on; return whether there was one."""
    workers = [] if run.poll() is not None else psutil.Process(run.pid).children()
    if workers:
        chance.choice(workers).kill()
    return len(workers) > 0


def kill_worker(run: subprocess.Popen, chance: random.Random) -> int:
    """Kill a worker of a run and let the run end; return whether there was one."""
    was_there = kill_a_worker(run, chance)
    _, words = run.communicate(timeout=SECONDS)
    assert run.returncode == 0, words
    return was_there


def hidden_files(folder: Path) -> list[Path]:
    """Return the files under hidden names."""
    return [path for path in folder.rglob(".*") if path.is_file()]
