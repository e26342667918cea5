"""Two processes that would make one file: the second waits for the first, and a killed one holds up nobody."""

import multiprocessing
import os
import signal
import time

import pytest

from hail_mri.provenance.lock import in_turn

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no such lock")


def make(path, started, *, dies=False):
    with in_turn(path):
        if path.exists():
            return
        started.set()
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.5)
        with path.with_name("made").open("a") as log:
            log.write("once\n")
        path.touch()


def begin(*arguments, **how):
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=make, args=arguments, kwargs=how)
    process.start()
    return process


@pytest.mark.parametrize("dies", [False, True], ids=["made by the first", "the first is killed"])
def test_a_file_that_two_processes_want_is_made_once(tmp_path, dies):
    started = multiprocessing.get_context("spawn").Event()
    first = begin(tmp_path / "labels", started, dies=dies)
    assert started.wait(60)
    second = begin(tmp_path / "labels", started)
    for process in (first, second):
        process.join(60)
    assert second.exitcode == 0
    assert (tmp_path / "made").read_text() == "once\n"
    assert not list(tmp_path.glob(".*"))
