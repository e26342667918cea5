"""Names and tables that are not as we write them."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import hail_mri

pytest.importorskip("bids2table")


def test_a_data_set_below_a_folder_whose_name_is_no_utf8_is_harmonized(app):
    moved = app.root.parent / os.fsdecode(b"latin-\xe9") / "raw"
    moved.parent.mkdir()
    shutil.move(app.root, moved)
    app = replace(app, root=moved)

    assert app.run("--participant-label", "01") == 0

    told = json.loads(app.result("01").with_name("sub-01_desc-harmonized_T1w.json").read_text())
    assert told["Sources"][0] == "bids:raw:sub-01/anat/sub-01_T1w.nii.gz"
    assert "%E9" in json.loads((app.output / "dataset_description.json").read_text())["DatasetLinks"]["raw"]


@pytest.mark.parametrize("arguments", [("--dry-run",), ()])
def test_a_name_that_is_no_utf8_is_shown_where_a_terminal_takes_nothing_else(arguments, app):
    moved = app.root.parent / os.fsdecode(b"latin-\xe9") / "raw"
    moved.parent.mkdir()
    shutil.move(app.root, moved)
    app = replace(app, root=moved, output=moved.with_name("out"))
    command = [sys.executable, "-m", "hail_mri.apps.bids.cli", str(moved), str(app.output), "participant", "--force"]
    command += ["--target", str(app.source("03")), "--participant-label", "01", "--nprocs", "0", "--no-reports"]
    environment = os.environ | {
        "PYTHONPATH": str(Path(hail_mri.__file__).parents[1]),
        "PYTHONIOENCODING": "utf-8:strict",
    }

    done = subprocess.run(
        [*command, "--skip-bids-validation", *arguments], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert r"latin-\udce9" in done.stdout


def test_a_name_in_the_data_set_that_is_no_utf8_is_told_and_all_others_are_done(app, capsys):
    odd = os.fsdecode(b"sub-02_acq-\xe9_T1w.nii.gz")
    try:
        shutil.copy(app.source("02"), app.source("02").with_name(odd))
    except OSError:
        pytest.skip("this file system has no such names")

    assert app.run() == 0

    (said,) = [line for line in capsys.readouterr().err.splitlines() if "skipped" in line]
    assert r"sub-02_acq-\udce9_T1w.nii.gz: it is not called as BIDS has it, expected" in said
    assert app.status == {
        r"sub-02_acq-\udce9_T1w.nii.gz": "skipped",
        **{f"sub-{subject}_T1w.nii.gz": "done" for subject in ("01", "02", "03")},
    }


def test_a_name_with_half_a_letter_is_written_with_a_sign_for_it(app):
    description = {"Name": "a \ud800 study", "BIDSVersion": "1.10.0"}
    (app.root / "dataset_description.json").write_text(json.dumps(description))

    assert app.run("--participant-label", "01") == 0

    assert json.loads((app.output / "dataset_description.json").read_text())["Name"] == "a ? study, harmonized"


def test_a_row_that_is_cut_short_stays_and_stops_nothing(app):
    assert app.run("--participant-label", "01") == 0
    table = app.output / "harmonized.tsv"
    table.write_text(table.read_text() + "../raw/gone.nii.gz\tgone.nii.gz\n")

    assert app.run("--participant-label", "02", "--reports") == 0

    assert app.status == {
        "sub-01_T1w.nii.gz": "done",
        "gone.nii.gz": "n/a",
        "sub-02_T1w.nii.gz": "done",
    }


def test_a_subject_of_the_table_is_no_path(app):
    assert app.run("--participant-label", "01") == 0
    table = app.output / "harmonized.tsv"
    result = app.result("01").relative_to(app.output).as_posix()
    table.write_text(table.read_text().replace(f"{result}\t01\t", f"{result}\t01/../../x\t"))
    assert "01/../../x" in table.read_text()
    before = sorted(path for path in Path(app.output.parent).iterdir())

    assert app.run("--reports-only") == 0

    assert sorted(path for path in Path(app.output.parent).iterdir()) == before
