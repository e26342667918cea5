import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import hail_mri
from hail_mri.apps.engine import progress
from hail_mri.apps.engine.progress import Pace, batch_progress

CODE = """
from hail_mri.apps.engine.progress import batch_progress
with batch_progress(3) as advance:
    advance(False)
    advance(True)
"""


def test_the_pace_tells_throughput_and_time_left():
    times = iter((0.0, 30.0))
    pace = Pace(10, now=lambda: next(times))
    for failed in (False, True, False):
        pace.add(failed=failed)

    assert str(pace) == "3 of 10 scans, 1 failed, 6 scans a minute, about 70 s left"


@pytest.mark.parametrize(("seconds", "n_lines"), [(0.0, 2), (60.0, 0)])
def test_without_a_terminal_a_line_is_said_when_the_last_is_old(monkeypatch, capsys, seconds, n_lines):
    monkeypatch.setattr(progress, "LINE_SECONDS", seconds)

    with batch_progress(2) as advance:
        advance(False)
        advance(False)

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == n_lines
    assert all(line.startswith("hail-mri: progress: ") for line in lines)


def test_a_terminal_shows_a_bar(tmp_path):
    ours, theirs = pty.openpty()
    environment = os.environ | {
        "PYTHONPATH": str(Path(hail_mri.__file__).parents[1]),
        "TERM": "xterm",
        "COLUMNS": "120",
    }

    subprocess.run([sys.executable, "-c", CODE], env=environment, stderr=theirs, check=True, cwd=tmp_path)

    os.close(theirs)
    assert "2 of 3 scans, 1 failed" in os.read(ours, 1 << 16).decode()
