"""What a run leaves of its losses, its learning rate and its speed, in a table and for TensorBoard."""

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from hail_mri.training.running import trainer
from hail_mri.training.running.learning_log import read_learning_log
from hail_mri.training.running.throughput import PAIRS, Throughput


@pytest.fixture(autouse=True)
def every_step_is_logged(monkeypatch):
    monkeypatch.setattr(trainer, "LOG_STEPS", 1)


def curves_of(folder):
    """Return what TensorBoard would draw: by name, the steps and the values."""
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    return {
        name: pd.Series({e.step: e.value for e in events.Scalars(name)}, dtype=float)
        for name in events.Tags()["scalars"]
    }


def steps_of(folder, name):
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    return [e.step for e in events.Scalars(name)]


def test_table_and_tensorboard_have_losses_learning_rate_and_speed(run, tmp_path):
    run(tmp_path, n_steps=6, epoch=3)
    table, curves = read_learning_log(tmp_path), curves_of(tmp_path)
    names = {"train_loss", "validation_loss", "lr-SGD", "scans_per_second"}
    assert names <= set(table)
    assert names <= set(curves)
    for name in names:
        logged = table.set_index("step")[name].dropna()
        assert curves[name].tolist() == pytest.approx(logged.tolist())
        assert curves[name].index.tolist() == logged.index.tolist()
    assert (table["lr-SGD"] == 0.01).all()


def test_a_batch_of_ten_milliseconds_gives_less_than_a_hundred_scans_per_second(run, tmp_path):
    run(tmp_path, n_steps=6, epoch=3, step_seconds=0.01)
    rates = read_learning_log(tmp_path)["scans_per_second"]
    assert rates.between(1, 100).all()


@pytest.mark.parametrize("fail_at", [3, 4, 5])
def test_a_resumed_run_goes_on_with_its_curves_and_doubles_no_step(run, tmp_path, fail_at):
    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path, n_steps=6, epoch=3, fail_at=fail_at)  # its checkpoint is that of the third step
    run(tmp_path, n_steps=6, epoch=3, checkpoint=tmp_path / "last.ckpt")
    for name, steps in (("train_loss", range(6)), ("scans_per_second", range(6)), ("validation_loss", (2, 5))):
        assert steps_of(tmp_path, name) == list(steps)
    assert read_learning_log(tmp_path)["step"].tolist() == list(range(6))


def test_a_run_that_begins_again_forgets_the_curves_of_the_one_before(run, tmp_path):
    with pytest.raises(RuntimeError, match="power cut"):
        run(tmp_path, n_steps=6, epoch=6, fail_at=4)  # before its first checkpoint
    run(tmp_path, n_steps=2, epoch=6)
    assert steps_of(tmp_path, "train_loss") == [0, 1]


def test_the_mean_rate_goes_on_in_a_resumed_run_and_pairs_are_counted_once():
    first, second = Throughput(PAIRS), Throughput(PAIRS)
    assert first.mean_per_second == first.per_second == 0
    second.load_state_dict({"n_samples": 30.0, "seconds": 10.0})
    assert second.summary == {"pairs_per_second": 3.0}
    assert second.state_dict() == {"n_samples": 30.0, "seconds": 10.0}
