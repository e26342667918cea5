"""What a run says about its time, and when it ends, on a network of one number."""

import re

import pytest
import torch


def test_a_run_says_what_a_step_takes_and_when_its_steps_are_done(run, tmp_path):
    _, trainer, lines, _ = run(tmp_path, n_steps=30, step_seconds=0.02)
    assert trainer.global_step == 30
    (line,) = lines
    found = re.fullmatch(
        r"a step takes ([\d.]+) s: done after 30 steps, in about [\d.]+ s \(\d{4}-\d\d-\d\d .*\)", line
    )
    assert 0.02 <= float(found[1]) < 0.2


def test_a_run_says_that_its_minutes_end_first(run, tmp_path):
    _, _, lines, _ = run(tmp_path, n_steps=1_000_000, minutes=0.05)
    assert "done when its 0.05 minutes are over, in about " in lines[0]


def test_a_run_ends_in_time_with_its_validation(run, tmp_path):
    module, _, _, elapsed = run(tmp_path, n_steps=1_000_000, minutes=0.05, epoch=20, validation_seconds=1.0)
    assert elapsed < 4
    assert module.n_validations >= 1


def test_no_validation_begins_that_would_end_too_late_right_after_another(run, tmp_path):
    module, trainer, _, _ = run(tmp_path, n_steps=1_000_000, minutes=0.03, epoch=20, validation_seconds=1.0)
    assert (module.n_validations, trainer.global_step) == (1, 20)


def test_a_run_without_time_takes_one_step_and_one_validation(run, tmp_path):
    module, trainer, _, _ = run(tmp_path, n_steps=1_000_000, minutes=1e-6)
    assert (module.n_validations, trainer.global_step) == (1, 1)


def test_steps_that_end_within_an_epoch_are_validated(run, tmp_path):
    module, trainer, _, _ = run(tmp_path, n_steps=7, epoch=5)
    assert (module.n_validations, trainer.global_step) == (2, 7)


@pytest.mark.parametrize("name", ["best.ckpt", "last.ckpt"])
def test_a_run_leaves_its_checkpoints(run, tmp_path, name):
    run(tmp_path, n_steps=3)
    assert torch.load(tmp_path / name, weights_only=True)["global_step"] == 3
