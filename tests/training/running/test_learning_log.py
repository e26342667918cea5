import pandas as pd
import pytest

from hail_mri.errors import InputError
from hail_mri.training.running.learning_log import read_learning_log


def write_part(folder, number, rows):
    path = folder / "log" / f"version_{number}" / "metrics.csv"
    path.parent.mkdir(parents=True)
    pd.DataFrame(rows).to_csv(path, index=False)


def test_training_and_validation_of_a_step_are_one_row(tmp_path):
    write_part(
        tmp_path, 0, [{"epoch": 0, "step": 4, "train_style": 2.0}, {"epoch": 0, "step": 4, "validation_loss": 3.0}]
    )
    table = read_learning_log(tmp_path)
    assert table.to_dict("records") == [{"step": 4, "epoch": 0, "train_style": 2.0, "validation_loss": 3.0}]


def test_steps_that_were_made_again_count_once_and_as_they_were_made_last(tmp_path):
    # Ten parts, for the tenth has a name that comes before the second's.
    for number in range(11):
        steps = range(number, number + 3)  # each is resumed after one step of its three
        write_part(tmp_path, number, [{"epoch": 0, "step": s, "train_style": 100 * number + s} for s in steps])
    table = read_learning_log(tmp_path)
    assert table["step"].tolist() == list(range(13))
    assert table["train_style"].tolist() == [101 * s for s in range(11)] + [1011, 1012]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no log"), ("", "cannot be read"), ("a,b\n1,2\n", "no column step"), (b"\xff\xfe\x00", "cannot be read")],
)
def test_what_is_no_log_is_refused(tmp_path, content, message):
    if content is not None:
        path = tmp_path / "log" / "version_0" / "metrics.csv"
        path.parent.mkdir(parents=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError, match=message):
        read_learning_log(tmp_path)
