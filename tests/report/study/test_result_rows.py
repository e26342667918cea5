import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.report.study.result_rows import read_result_rows


def write(folder, text):
    path = folder / "harmonized.tsv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_table_of_today_can_be_read(tmp_path):
    path = write(tmp_path, "source\toutput\tstatus\tmessage\tseconds\n../in/a.nii\ta.nii.gz\tdone\t\t1.50\n")

    (row,) = read_result_rows(path)

    assert (row.line, row.problem) == (2, "")
    assert dict(row.cells) == {"source": "../in/a.nii", "output": "a.nii.gz", "status": "done", "seconds": "1.50"}
    assert row.get("site") == ""


def test_columns_are_found_by_their_names_and_na_is_nothing(tmp_path):
    path = write(tmp_path, "\ufeffsite\tstatus\toutput\tsource\tverdict\r\nA\tskipped\tn/a\tin.nii\tn/a\r\n")

    (row,) = read_result_rows(path)

    assert dict(row.cells) == {"site": "A", "status": "skipped", "source": "in.nii"}


def test_a_line_that_is_cut_short_is_named_and_the_others_are_read(tmp_path):
    path = write(tmp_path, "source\toutput\tstatus\nin.nii\na.nii\ta.nii.gz\tdone\n\n")

    short, whole = read_result_rows(path)

    assert short.problem == "it has 1 cells, the header 3"
    assert (whole.line, whole.problem) == (3, "")


def test_a_name_that_is_no_utf_8_is_no_reason_to_stop(tmp_path):
    path = write(tmp_path, b"source\toutput\tstatus\n\xff.nii\ta.nii.gz\tdone\n")

    assert read_result_rows(path)[0].get("output") == "a.nii.gz"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "has no line", id="empty"),
        pytest.param("source\toutput\n", "has the columns source, output; expected", id="no status"),
        pytest.param("source\tsource\toutput\tstatus\n", "each once", id="a column twice"),
        pytest.param("\0\x1f\x8b binary", "expected source, output, status", id="no text"),
    ],
)
def test_what_is_no_table_of_results_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_result_rows(write(tmp_path, text))


def test_a_table_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        read_result_rows(tmp_path / "harmonized.tsv")
