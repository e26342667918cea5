"""What becomes of the other lines when the process of one is killed."""

import os
import signal
import time
from functools import partial

import pytest

from hail_mri.apps.scored_line import Scored
from hail_mri.apps.scoring_processes import KILLED, score_by_processes
from hail_mri.evaluation.pair_table import PairRow

ROWS = [PairRow(number, {}) for number in range(2, 10)]


def score(row, deadly, folder):
    """Kill the process at a deadly line: always, or only the first time if there is a folder to remember it in."""
    time.sleep(0.05)
    trace = None if folder is None else folder / f"{row.line}"
    if row.line in deadly and (trace is None or not trace.exists()):
        if trace is not None:
            trace.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Scored(row)


def errors_by_line(deadly, folder=None):
    found = list(score_by_processes(ROWS, partial(score, deadly=deadly, folder=folder), 2))
    assert len(found) == len(ROWS)
    return {line.row.line: line.error for line in found if line.error}


@pytest.mark.parametrize("deadly", [(3,), (2, 9)], ids=["one", "first and last"])
def test_a_killed_process_takes_its_own_line_with_it_and_no_other(deadly):
    assert errors_by_line(deadly) == dict.fromkeys(deadly, KILLED)


def test_a_line_whose_process_was_killed_once_is_scored_when_it_is_alone(tmp_path):
    assert errors_by_line((4,), tmp_path) == {}
    assert (tmp_path / "4").exists()


def test_an_error_of_ours_is_told_as_one():
    found = list(score_by_processes(ROWS[:2], os.fspath, 2))
    assert all(line.error.startswith("internal error, TypeError") for line in found)
