import os

import pytest

from hail_mri.apps.bids.side_files import read_json_object, read_table
from hail_mri.errors import InputError, MissingFileError


def test_a_table_is_read_by_its_key_without_cells_that_have_no_value(tmp_path):
    path = tmp_path / "participants.tsv"
    path.write_bytes("\ufeffparticipant_id\tsite\tage\r\nsub-01\tA b\tn/a\r\n\r\nsub-02\t\t7\r\n".encode())

    rows = read_table(path, key="participant_id")

    assert rows == {
        "sub-01": {"participant_id": "sub-01", "site": "A b"},
        "sub-02": {"participant_id": "sub-02", "age": "7"},
    }


def test_a_table_that_is_not_there_is_empty(tmp_path):
    assert read_table(tmp_path / "participants.tsv", key="participant_id") == {}


def test_a_table_whose_name_is_too_long_is_not_there(tmp_path):
    assert read_table(tmp_path / f"{'x' * 300}.tsv", key="participant_id") == {}


def test_a_table_that_is_a_link_to_nowhere_is_missing_and_not_empty(tmp_path):
    path = tmp_path / "participants.tsv"
    path.symlink_to("gone.tsv")

    with pytest.raises(MissingFileError, match=r"participants\.tsv does not exist"):
        read_table(path, key="participant_id")


def test_a_table_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "participants.tsv")

    with pytest.raises(InputError, match="is a pipe, expected a table"):
        read_table(tmp_path / "participants.tsv", key="participant_id")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "has the columns of an empty file; expected one called participant_id", id="empty"),
        pytest.param(b"id\tsite\n", "has the columns id, site; expected one called", id="no key"),
        pytest.param(b"participant_id\tsite\nsub-01\n", "line 2 has 1 cells, expected 2", id="ragged"),
        pytest.param(b"participant_id\nsub-01\nsub-01\n", "line 3: sub-01 is there twice", id="twice"),
        pytest.param(b"participant_id\tsite\nn/a\tA\n", "line 2: participant_id is empty", id="no name"),
        pytest.param(b"participant_id\n\xff\xfe\n", "cannot be read as a table", id="not UTF-8"),
    ],
)
def test_a_table_that_is_none_is_refused(content, said, tmp_path):
    (tmp_path / "t.tsv").write_bytes(content)

    with pytest.raises(InputError, match=said):
        read_table(tmp_path / "t.tsv", key="participant_id")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("{", "cannot be read as JSON", id="broken"),
        pytest.param("[1]", "holds a list, expected a filter file", id="a list"),
        pytest.param("[" * 100_000, "cannot be read as JSON", id="deep"),
    ],
)
def test_json_that_holds_no_object_is_refused(content, said, tmp_path):
    (tmp_path / "f.json").write_text(content)

    with pytest.raises(InputError, match=said):
        read_json_object(tmp_path / "f.json", expected="a filter file")


def test_json_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingFileError):
        read_json_object(tmp_path / "f.json", expected="a filter file")
