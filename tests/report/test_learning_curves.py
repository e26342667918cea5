import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from hail_mri.errors import InputError
from hail_mri.report.learning_curves import save_learning_curves


@pytest.fixture
def table():
    steps = np.arange(0, 200, 20)
    losses = {f"train_{name}": 1 / (1 + steps) for name in ("style", "content")}
    validation = {
        f"validation_{name}": np.where(steps % 100 == 80, 0.5, np.nan) for name in ("style", "content", "loss")
    }
    return pd.DataFrame({"step": steps, "epoch": steps // 100, **losses, **validation})


def test_the_picture_has_a_panel_for_each_term_and_one_for_their_sum(table, tmp_path):
    save_learning_curves(table, tmp_path / "all.png", title="run, style")
    alone = table[["step", "train_style", "validation_style", "validation_loss"]]
    save_learning_curves(alone, tmp_path / "one.png", title="run, style")
    widths = [imread(tmp_path / name).shape[1] for name in ("all.png", "one.png")]
    assert widths[0] == 3 * widths[1]  # the sum of one term is that term


def test_the_same_log_gives_the_same_bytes(table, tmp_path):
    for name in ("a.png", "b.png"):
        save_learning_curves(table, tmp_path / name, title="run")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_loss_that_reaches_0_or_is_no_number_is_drawn(table, tmp_path):
    table.loc[3, "train_style"] = 0
    table.loc[4, "train_style"] = np.inf
    save_learning_curves(table, tmp_path / "a.png", title="run")
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.filterwarnings("error")
def test_a_loss_that_is_never_above_0_is_drawn(table, tmp_path):
    table["train_diversity"] = -table["train_style"]
    save_learning_curves(table, tmp_path / "a.png", title="run")
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize("columns", [["step", "epoch"], ["step", "train_style"]])
def test_an_empty_log_is_refused(table, tmp_path, columns):
    with pytest.raises(InputError, match="nothing was logged"):
        save_learning_curves(table[columns].iloc[:0], tmp_path / "a.png", title="run")
    assert not list(tmp_path.iterdir())
