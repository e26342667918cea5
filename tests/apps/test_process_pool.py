import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import hail_mri
from hail_mri.apps.process_pool import work_by_processes

SCRIPT = """
import os, time
from pathlib import Path
from hail_mri.apps.process_pool import work_by_processes

def work(number):
    Path(f"{os.getpid()}.pid").touch()
    time.sleep(120)

if __name__ == "__main__":
    list(work_by_processes([1, 2], work, 2))
"""
SECONDS = 60  # that processes may take to begin, and to end, on a machine with other work


def wait_until(condition):
    end = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_every_item_has_its_result_or_its_error():
    found = dict(work_by_processes([1, "a", 3], abs, 2))

    assert (found[1], found[3]) == (1, 3)
    assert isinstance(found["a"], TypeError)


def test_nothing_is_started_for_no_items():
    assert list(work_by_processes([], abs, 2)) == []


def test_processes_end_with_a_parent_that_is_killed(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
    parent = subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, env=environment)
    assert wait_until(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
    pids = [int(path.stem) for path in tmp_path.glob("*.pid")]

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    assert wait_until(lambda: not any(map(is_alive, pids)))
