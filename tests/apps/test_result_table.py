import pytest

from hail_mri.apps.result_table import Outcome, write_outcomes
from hail_mri.errors import UnwritableError


def done(folder, name):
    return Outcome(folder / f"in/{name}.nii", folder / f"out/{name}.nii.gz", "done", "")


def test_a_table_of_results_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(UnwritableError, match=r"file/harmonized\.tsv could not be written"):
        write_outcomes([], tmp_path / "file" / "harmonized.tsv")


def test_a_table_that_a_spreadsheet_has_saved_keeps_its_rows(tmp_path):
    table_path = tmp_path / "out/harmonized.tsv"
    write_outcomes([done(tmp_path, "a")], table_path)
    saved = table_path.read_text().replace("\n", "\r\n") + "noted by hand\r\n"
    table_path.write_text(f"\ufeff{saved}", encoding="utf-8", newline="")

    write_outcomes([done(tmp_path, "b")], table_path)

    first_cells = [line.split("\t")[0] for line in table_path.read_text(encoding="utf-8").splitlines()]
    assert first_cells == ["source", "../in/a.nii", "noted by hand", "../in/b.nii"]
