"""What a run shows while it learns: one line now and then in a file, a bar where somebody is watching."""

import io
import re
import sys
from types import SimpleNamespace

import pytest

from hail_mri.training.running import progress
from hail_mri.training.running.budget import Budget
from hail_mri.training.running.timekeeper import time_left

LINE = re.compile(r"step (\d+) of 8: train_loss [\d.]+; [\d.]+ scans/s, about [\d.]+ s left")


def test_lines_say_losses_rate_and_the_time_left_of_the_whole_run(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    _, _, lines, _ = run(tmp_path, n_steps=8, epoch=4)
    assert [int(LINE.fullmatch(line)[1]) for line in lines] == list(range(1, 9))
    assert "\r" not in capsys.readouterr().err


def test_a_short_run_says_nothing_that_nobody_watches(run, tmp_path, capsys):
    _, _, lines, _ = run(tmp_path, n_steps=8, epoch=4)
    assert lines == []
    assert "scans/s" not in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("fail_at", [None, 5])
def test_on_a_terminal_there_is_a_bar_of_the_whole_run_until_its_end(run, tmp_path, monkeypatch, fail_at):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    try:
        run(tmp_path, n_steps=8, epoch=4, fail_at=fail_at)
    except RuntimeError:
        assert fail_at
    shown = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", sys.stderr.getvalue())
    assert "(validating)" in shown
    steps = [int(found[1]) for found in LINE.finditer(shown)]
    assert set(range(1, (fail_at or 8) + 1)) == set(steps)
    assert ("100%" in shown) == (fail_at is None)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        pytest.param(float("inf"), (8 * 2 * 3.0 + 4 * 10.0, True), id="steps end it"),
        pytest.param(0.5, (30.0, False), id="time ends it"),
    ],
)
def test_the_time_left_counts_every_batch_and_validation_to_come(minutes, expected):
    budget = Budget(10, minutes)
    budget.own_validation_seconds = 10.0
    trainer = SimpleNamespace(global_step=2, accumulate_grad_batches=2, num_training_batches=4)
    seconds, by_steps = time_left(budget, trainer, batch_seconds=3.0)
    assert (round(seconds, 1), by_steps) == expected
