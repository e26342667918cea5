import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import hail_mri
from hail_mri.apps.result_table import COLUMNS, Outcome, read_results, write_outcomes
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


def test_two_runs_into_one_folder_lose_no_row(tmp_path):
    # Each lists its scans one by one, as a batch does.
    code = (
        "import sys; from pathlib import Path; from hail_mri.apps.result_table import Outcome, write_outcomes\n"
        "outcomes = []\n"
        "for number in range(40):\n"
        "    outcomes.append(Outcome(Path(f'{sys.argv[1]}{number}.nii'), None, 'skipped', ''))\n"
        "    write_outcomes(outcomes, Path('out/harmonized.tsv'))\n"
        "    if number == 0:\n"
        "        print('ready', flush=True); sys.stdin.readline()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", code]
    runs = [subprocess.Popen([*command, name], cwd=tmp_path, env=environment, **pipes) for name in ("a", "b")]
    for run in runs:
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        run.stdin.write("go\n")
        run.stdin.flush()
    for run in runs:
        run.communicate()

    with (tmp_path / "out/harmonized.tsv").open(newline="") as file:
        sources = [row["source"] for row in csv.DictReader(file, dialect="excel-tab")]
    assert [run.returncode for run in runs] == [0, 0]
    assert sorted(sources) == sorted(f"../{name}{number}.nii" for name in "ab" for number in range(40))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["harmonized.tsv"]


def test_a_table_of_an_earlier_version_is_taken_up_with_its_rows(tmp_path):
    table_path = tmp_path / "out/harmonized.tsv"
    table_path.parent.mkdir()
    header = "source\toutput\tstatus\tmessage\tseconds\n"
    table_path.write_text(f"{header}../in/a.nii\ta.nii.gz\tdone\tA warning.\t1.50\n", encoding="utf-8")

    write_outcomes([done(tmp_path, "b")], table_path)

    a, b = read_results(table_path)
    assert (a["output"], a["status"], a["message"], a["seconds"]) == ("a.nii.gz", "done", "A warning.", "1.50")
    assert {a[name] for name in COLUMNS if name not in ("source", "output", "status", "message", "seconds")} == {"n/a"}
    assert b["source"] == "../in/b.nii"


def test_a_table_without_columns_of_masks_is_taken_up_with_its_rows(tmp_path):
    table_path = tmp_path / "harmonized.tsv"
    write_outcomes([done(tmp_path, "a")], table_path)
    lines = [line.split("\t")[:-4] for line in table_path.read_text().splitlines()]
    table_path.write_text("".join("\t".join(line) + "\n" for line in lines))
    assert lines[0][-1] == "report"

    write_outcomes([replace(done(tmp_path, "b"), masks={"lesion_mask": tmp_path / "b.nii"})], table_path)

    a, b = read_results(table_path)
    assert [a[name] for name in COLUMNS[:-4]] == lines[1]
    assert {a[name] for name in COLUMNS[-4:]} == {"n/a"}
    assert (b["lesion_mask"], b["brain_mask"]) == ("b.nii", "n/a")


def test_one_source_with_two_results_of_two_runs_has_two_rows(tmp_path):
    table_path = tmp_path / "out/harmonized.tsv"
    first, second = done(tmp_path, "a"), replace(done(tmp_path, "b"), source=tmp_path / "in/a.nii")

    for outcomes in ([first], [second], [replace(first, message="again")]):
        write_outcomes(outcomes, table_path)

    assert [(row["output"], row["message"]) for row in read_results(table_path)] == [
        ("b.nii.gz", "n/a"),
        ("a.nii.gz", "again"),
    ]


def test_a_source_that_was_skipped_has_one_row_once_it_is_done(tmp_path):
    table_path = tmp_path / "out/harmonized.tsv"
    write_outcomes([Outcome(tmp_path / "in/a.nii", None, "skipped", "its name ends in T2w")], table_path)

    write_outcomes([done(tmp_path, "a")], table_path)

    assert [row["status"] for row in read_results(table_path)] == ["done"]


@pytest.mark.parametrize("name", ["two\nlines", "a\ttab", 'a "quote"', "脳", "=formula", os.fsdecode(b"latin-\xe9")])
def test_any_name_comes_back_from_the_table(tmp_path, name):
    table_path = tmp_path / "out/harmonized.tsv"

    write_outcomes([done(tmp_path, name)], table_path)
    write_outcomes([done(tmp_path, name)], table_path)

    (row,) = read_results(table_path)
    assert row["output"] == f"{name}.nii.gz".encode("utf-8", "backslashreplace").decode()
