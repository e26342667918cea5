"""Tables as people, spreadsheets and other programs leave them."""

import os

import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.provenance import tables
from hail_mri.provenance.tables import read_lines


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(b"a\tb\n1\t2\n", [(1, ["a", "b"]), (2, ["1", "2"])], id="plain"),
        pytest.param(b"\xef\xbb\xbfa\tb\r\n1\t2\r\n", [(1, ["a", "b"]), (2, ["1", "2"])], id="a spreadsheet's"),
        pytest.param(b"a\n\n \t\n1", [(1, ["a"]), (4, ["1"])], id="empty lines"),
        pytest.param(b'a\n"two\nlines"\nlast\n', [(1, ["a"]), (3, ["two\nlines"]), (4, ["last"])], id="a line break"),
        pytest.param(b"a \t b\n", [(1, ["a ", " b"])], id="spaces stay"),
        pytest.param(b"", [], id="empty"),
    ],
)
def test_lines_with_their_numbers(tmp_path, content, lines):
    (tmp_path / "table.tsv").write_bytes(content)
    assert read_lines(tmp_path / "table.tsv") == lines


def test_bytes_that_are_no_utf8_are_refused_or_marked(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_bytes(b"name\nM\xfcller\n")
    with pytest.raises(InputError, match=r"table\.tsv cannot be read as a table") as caught:
        read_lines(path)
    assert "UTF-8" in caught.value.hint
    assert read_lines(path, undecodable="replace") == [(1, ["name"]), (2, ["M\ufffdller"])]


def test_a_table_that_is_none_is_refused(tmp_path, monkeypatch):
    with pytest.raises(MissingFileError, match=r"none\.tsv does not exist"):
        read_lines(tmp_path / "none.tsv")
    with pytest.raises(InputError, match="is a folder, expected a table of pairs"):
        read_lines(tmp_path, expected="a table of pairs")
    os.mkfifo(tmp_path / "pipe.tsv")
    with pytest.raises(InputError, match="is a pipe"):
        read_lines(tmp_path / "pipe.tsv")
    (tmp_path / "huge-cell.tsv").write_text("x" * 200_000)
    with pytest.raises(InputError, match="field larger than field limit"):
        read_lines(tmp_path / "huge-cell.tsv")
    (tmp_path / "large.tsv").write_text("a\n" * 10)
    monkeypatch.setattr(tables, "LARGEST_TABLE_BYTES", 10)
    with pytest.raises(InputError, match="is larger than 0 MiB"):
        read_lines(tmp_path / "large.tsv")


def test_blank_lines_are_kept_where_asked_for_except_at_the_end(tmp_path):
    (tmp_path / "table.tsv").write_text("a\tb\n\n1\t2\n\t\n\n")
    assert read_lines(tmp_path / "table.tsv", keep_blank=True) == [(1, ["a", "b"]), (2, []), (3, ["1", "2"])]


def test_a_quotation_mark_that_nothing_closes_does_not_swallow_the_lines_below(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text('name\tcomment\na\t"left handed\nb\tnone\n')
    with pytest.raises(InputError, match=r"unexpected end of data") as caught:
        read_lines(path)
    assert "quotation mark" in caught.value.hint
