from pathlib import Path

import pytest

from hail_mri.apps.requests import (
    ScanRequest,
    read_table,
    request_of_scan,
    requests_of_batch,
    require_possible,
)
from hail_mri.errors import InputError, MissingFileError, OutputExistsError, UnwritableError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write_table(folder: Path, text: str) -> Path:
    path = folder / "scans.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_sources_and_masks_of_a_table_are_relative_to_it_and_outputs_too_without_a_folder(tmp_path):
    table = write_table(
        tmp_path,
        "source\tage\toutput\tbrain_mask\tlesion_mask\n"
        "a.nii\t7\tout/a.nii.gz\tm.nii\tn/a\nb.nii\t8\tb.nii\tn/a\tl.nii\n",
    )

    requests = read_table(table)

    assert [request.source for request in requests] == [tmp_path / "a.nii", tmp_path / "b.nii"]
    assert [request.output for request in requests] == [tmp_path / "out/a.nii.gz", tmp_path / "b.nii"]
    assert [request.brain_mask for request in requests] == [tmp_path / "m.nii", None]
    assert [request.lesion_mask for request in requests] == [None, tmp_path / "l.nii"]


def test_outputs_of_a_table_go_to_the_folder_that_is_given(tmp_path):
    table = write_table(tmp_path, "source\toutput\na.nii\ta.nii.gz\n")

    assert read_table(table, tmp_path / "results")[0].output == tmp_path / "results/a.nii.gz"


@pytest.mark.parametrize("output", ["../a.nii", "sub/../../a.nii", "/tmp/a.nii", "link/a.nii", "."])
def test_outputs_that_leave_the_folder_that_is_given_are_refused(tmp_path, output):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/link").symlink_to(tmp_path)
    table = write_table(tmp_path, f"source\toutput\na.nii\t{output}\n")

    with pytest.raises(InputError, match="row 2"):
        read_table(table, tmp_path / "out")


def test_scans_of_a_folder_whose_results_would_leave_the_folder_that_is_given_are_refused(tmp_path):
    touch(tmp_path, "in/sub/a.nii", "elsewhere/precious.nii")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/sub").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InputError, match=r"sub/a\.nii: the output .* is not in the folder .*out"):
        requests_of_batch(tmp_path / "in", tmp_path / "out", None)


def test_the_folder_for_results_may_be_a_link_itself(tmp_path):
    touch(tmp_path, "in/sub/a.nii")
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")

    assert len(requests_of_batch(tmp_path / "in", tmp_path / "out", None).requests) == 1


def test_absolute_paths_in_a_table_stay_as_they_are(tmp_path):
    table = write_table(tmp_path, "source\toutput\n/data/a.nii\t/results/a.nii.gz\n")

    assert read_table(table)[0].source == Path("/data/a.nii")
    assert read_table(table)[0].output == Path("/results/a.nii.gz")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeffsource\toutput\na.nii\tb.nii\n", id="byte order mark"),
        pytest.param("source\toutput\r\na.nii\tb.nii\r\n", id="Windows line ends"),
        pytest.param("source\toutput\na.nii\tb.nii", id="no line end"),
        pytest.param("source\toutput\na.nii\tb.nii\n\n\t\n", id="empty lines at the end"),
        pytest.param(" source \t output\n a.nii \tb.nii \n", id="blanks around cells"),
    ],
)
def test_a_table_may_be_written_by_any_editor(tmp_path, text):
    table = write_table(tmp_path, text)

    assert [(r.source.name, r.output.name) for r in read_table(table)] == [("a.nii", "b.nii")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "is empty", id="nothing"),
        pytest.param("source\toutput\n", "no rows", id="header only"),
        pytest.param("source,output\na.nii,b.nii\n", "row 1 has the columns source,output;", id="commas"),
        pytest.param("source\tresult\na.nii\tb.nii\n", "expected source and output", id="column missing"),
        pytest.param("source\toutput\tsource\na\tb\tc\n", "each once", id="column twice"),
        pytest.param("source\toutput\na.nii\tx.nii\n\nb.nii\ty.nii\n", "row 3 has 0 cells", id="empty row"),
        pytest.param("source\toutput\na.nii\tx.nii\n\t\nb.nii\ty.nii\n", "row 3: source is empty", id="empty cells"),
        pytest.param("source\toutput\na.nii\n", "row 2 has 1 cells, expected 2", id="cell missing"),
        pytest.param("source\toutput\na.nii\tn/a\n", "row 2: output is empty", id="no output"),
        pytest.param("source\toutput\na.nii\tb.mgz\n", r"row 2: .*b\.mgz is no name", id="output of another format"),
    ],
)
def test_a_wrong_table_is_refused_with_the_row(tmp_path, text, message):
    table = write_table(tmp_path, text)

    with pytest.raises(InputError, match=message) as caught:
        read_table(table)

    assert str(table) in str(caught.value)


def test_a_table_in_another_encoding_is_refused(tmp_path):
    table = tmp_path / "scans.tsv"
    table.write_bytes("source\toutput\nMüller.nii\tb.nii\n".encode("latin-1"))

    with pytest.raises(InputError, match="not text in UTF-8"):
        read_table(table)


def test_a_table_that_is_missing_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match=r"scans\.tsv"):
        read_table(tmp_path / "scans.tsv")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param(["a.nii", "a.nii.gz"], "the result would be", id="two formats of one name"),
        pytest.param(["a.nii.gz", "a.mgz"], "the result would be", id="NIfTI and FreeSurfer"),
    ],
)
def test_two_sources_with_one_result_are_refused(tmp_path, names, message):
    touch(tmp_path / "in", *names)
    requests = requests_of_batch(tmp_path / "in", tmp_path / "out", None).requests

    with pytest.raises(InputError, match=message):
        require_possible(requests, [], overwrite=True)


def test_two_rows_with_one_result_are_refused_with_both_rows(tmp_path):
    # Written differently, and with another suffix: the sidecar would be the same.
    table = write_table(tmp_path, "source\toutput\na.nii\tx.nii\nb.nii\ty.nii\nc.nii\tsub/../x.nii.gz\n")

    with pytest.raises(InputError, match=r"row 4: .*row 2"):
        require_possible(read_table(table), [], overwrite=False)


@pytest.mark.parametrize("name", ["source.nii", "target.nii", "mask.nii", "lesion.nii"])
def test_an_input_is_never_replaced_even_when_overwriting_is_allowed(tmp_path, name):
    touch(tmp_path, "source.nii", "target.nii", "mask.nii", "lesion.nii")
    output = tmp_path / "sub" / ".." / name
    request = ScanRequest(tmp_path / "source.nii", output, tmp_path / "mask.nii", tmp_path / "lesion.nii")

    with pytest.raises(InputError, match="is an input of this run"):
        require_possible([request], [tmp_path / "target.nii"], overwrite=True)


@pytest.mark.parametrize("existing", ["out/a.nii.gz", "out/a.json", "out/harmonized.tsv"])
def test_a_file_that_exists_is_not_replaced_unless_asked(tmp_path, existing):
    touch(tmp_path, existing)
    requests = [ScanRequest(tmp_path / "a.nii", tmp_path / "out/a.nii.gz")]

    with pytest.raises(OutputExistsError, match=Path(existing).name):
        require_possible(requests, [], table_path=tmp_path / "out/harmonized.tsv", overwrite=False)
    require_possible(requests, [], table_path=tmp_path / "out/harmonized.tsv", overwrite=True)


def test_a_folder_for_results_that_is_a_file_is_refused(tmp_path):
    touch(tmp_path, "in/a.nii", "out")
    requests = requests_of_batch(tmp_path / "in", tmp_path / "out", None).requests

    with pytest.raises(UnwritableError, match="out is not a folder"):
        require_possible(requests, [], overwrite=False)


def test_results_need_a_place(tmp_path):
    with pytest.raises(InputError, match="-o is missing"):
        request_of_scan(tmp_path / "a.nii", None, None)
    with pytest.raises(InputError, match="-o is missing"):
        requests_of_batch(tmp_path, None, None)


def test_one_mask_for_many_scans_is_refused(tmp_path):
    with pytest.raises(InputError, match="--brain-mask is the mask of one scan"):
        requests_of_batch(tmp_path, tmp_path / "out", tmp_path / "mask.nii")
    with pytest.raises(InputError, match="--lesion-mask is the mask of one scan"):
        requests_of_batch(tmp_path, tmp_path / "out", None, tmp_path / "mask.nii")
