import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.evaluation.pair_table import read_pair_table


def write(path, *lines, encoding="utf-8"):
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding=encoding)
    return path


def test_paths_are_taken_from_the_tables_folder_and_what_is_not_there_is_left_out(tmp_path):
    table = write(
        tmp_path / "pairs.tsv",
        ("subject", "source", "target", "harmonized", "truth", "site", "target_site", "age"),
        ("01", "a.nii", "/b.nii", "out/c.nii", "n/a", "A", "B", "9"),
        ("02", "d.nii", "/b.nii", "", "", "", "", ""),
    )
    first, second = read_pair_table(table)
    assert {name: str(path) for name, path in first.files.items()} == {
        "source": str(tmp_path / "a.nii"),
        "target": "/b.nii",
        "harmonized": str(tmp_path / "out" / "c.nii"),
    }
    assert (first.line, first.subject, first.method, first.direction) == (2, "01", "", "A to B")
    assert (second.line, second.direction) == (3, "")


def test_a_line_says_what_it_lacks(tmp_path):
    (tmp_path / "a.nii").touch()
    table = write(
        tmp_path / "p.tsv", ("source", "target", "harmonized"), ("a.nii", "", "c.nii"), ("a.nii", "a.nii", "c.nii")
    )
    first, second = read_pair_table(table)
    with pytest.raises(InputError, match="there is no target"):
        first.require_files()
    with pytest.raises(MissingFileError, match=r"no harmonized at .*c\.nii"):
        second.require_files()


def test_a_table_of_a_spreadsheet_with_a_byte_order_mark_is_read(tmp_path):
    table = write(tmp_path / "p.tsv", ("source", "target", "harmonized"), ("a", "b", "c"), encoding="utf-8-sig")
    assert len(read_pair_table(table)) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("source\ttarget\n", "no column harmonized", id="a column is missing"),
        pytest.param("source,target,harmonized\na,b,c\n", "no column", id="commas"),
        pytest.param("", "none at all", id="empty"),
        pytest.param("source\ttarget\tharmonized\ttruth\ttruth\n", "truth twice", id="a column twice"),
        pytest.param("source\ttarget\tharmonized\n", "no line", id="headings alone"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path, text, message):
    path = tmp_path / "p.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_pair_table(path)


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_bytes(b"source\ttarget\tharmonized\n\xff\xfe\t\t\n")
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_pair_table(path)


def test_a_table_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingFileError):
        read_pair_table(tmp_path / "none.tsv")
