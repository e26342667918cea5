"""The App from data set to data set, with real weights on scans of a ball: what matters here are files."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hail_mri
from hail_mri.apps.bids.cli import main
from hail_mri.apps.bids.validation import errors_of, find_validator
from hail_mri.image.nifti import load_volume

pytest.importorskip("bids2table")

PARTICIPANTS = [
    ("participant_id", "site", "split"),
    ("sub-01", "A", "train"),
    ("sub-02", "A", "test"),
    ("sub-03", "B", "train"),
]
SCANS = {
    "01": "sub-01/ses-1/anat/sub-01_ses-1_T1w",
    "01 again": "sub-01/ses-2/anat/sub-01_ses-2_T1w",
    "02": "sub-02/ses-1/anat/sub-02_ses-1_T1w",
    "03": "sub-03/ses-1/anat/sub-03_ses-1_T1w",
}
# A ball in a shell is no head.
OPTIONS = ("--force", "--nprocs", "0", "--no-reports", "--skip-bids-validation")


@pytest.fixture
def study(make_dataset, make_scan, tmp_path, monkeypatch):
    """Return a study of two sites, in a folder that commands run in."""
    root = make_dataset(participants=PARTICIPANTS)
    for seed, scan in enumerate(SCANS.values()):
        make_scan(root / f"{scan}.nii.gz", seed=seed, gain=1.0 + 2.0 * (scan == SCANS["03"]), spacing=4.0)
    monkeypatch.chdir(tmp_path)
    return root


def rows_of(folder):
    with (folder / "harmonized.tsv").open(newline="") as file:
        return list(csv.DictReader(file, dialect="excel-tab"))


def result_of(scan):
    return f"{scan.removesuffix('T1w')}desc-harmonized_T1w"


def test_a_study_is_harmonized_into_a_data_set_of_derivatives(study, tmp_path, tree, capsys):
    target = f"raw/{SCANS['03']}.nii.gz"

    status = main(["raw", "out", "participant", "--target", target, *OPTIONS, "-v"])

    assert status == 0
    said = capsys.readouterr()
    assert "4 of 4 scans harmonized, listed in out/harmonized.tsv" in said.out
    assert "sites: A (3 scans), B (1 scans), by the column site" in said.err
    assert "Traceback" not in said.err
    out = tmp_path / "out"
    files = {path for path in tree(out) if not path.startswith(".hail-mri") and (out / path).is_file()}
    expected = {f"{result_of(scan)}{suffix}" for scan in SCANS.values() for suffix in (".nii.gz", ".json")}
    assert files == expected | {".bidsignore", "README.md", "dataset_description.json", "harmonized.tsv"}
    told = json.loads((out / f"{result_of(SCANS['01'])}.json").read_text())
    assert told["Sources"] == [f"bids:raw:{SCANS['01']}.nii.gz", f"bids:raw:{SCANS['03']}.nii.gz"]
    assert told["SpatialReference"] == "orig"
    source, result = (
        load_volume(p) for p in (study / f"{SCANS['01']}.nii.gz", out / f"{result_of(SCANS['01'])}.nii.gz")
    )
    assert np.array_equal(source.affine, result.affine)
    assert [(row["subject"], row["session"], row["site"]) for row in rows_of(out)] == [
        ("01", "1", "A"),
        ("01", "2", "A"),
        ("02", "1", "A"),
        ("03", "1", "B"),
    ]


@pytest.mark.skipif(find_validator() is None, reason="no bids-validator is installed")
def test_input_and_output_are_valid_bids(study):
    (study / "README").write_text("A study of balls, which are no heads, at two sites, to be harmonized in a test.\n")
    assert errors_of(study, find_validator()) == []

    options = [option for option in OPTIONS if option != "--skip-bids-validation"]
    assert main(["raw", "raw/derivatives/out", "participant", "--target-site", "A", *options]) == 0

    assert errors_of(study / "derivatives/out", find_validator()) == []
    assert errors_of(study, find_validator()) == []


@pytest.mark.usefixtures("study")
def test_the_medoid_is_the_same_for_runs_of_one_participant_each(tmp_path, capsys):
    call = ["raw", "out", "participant", "--target", "auto", "--target-site", "A", *OPTIONS]

    assert main([*call, "--participant-label", "sub-01"]) == 0
    assert main([*call, "--participant_label", "02", "03"]) == 0

    rows = rows_of(tmp_path / "out")
    assert [row["subject"] for row in rows] == ["01", "01", "02", "03"]
    assert len({row["target"] for row in rows}) == 1
    # Not sub-02: it is among the test subjects.
    assert "sub-01" in rows[0]["target"]
    candidates = (tmp_path / "out/target_A.tsv").read_text().splitlines()
    assert len(candidates) == 3
    assert "warning" not in capsys.readouterr().err


@pytest.mark.usefixtures("study")
def test_jobs_of_one_participant_each_may_run_at_the_same_time(tmp_path):
    # The package under test, installed or not.
    environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-m", "hail_mri.apps.bids.cli", "raw", "out", "participant", *OPTIONS]
    call += ["--target", f"raw/{SCANS['03']}.nii.gz", "--participant-label"]

    jobs = [subprocess.Popen([*call, label], env=environment, stderr=subprocess.PIPE) for label in ("01", "02", "03")]

    said = [job.communicate()[1].decode() for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0]
    assert not [text for text in said if "Traceback" in text or "failed:" in text]
    assert [row["status"] for row in rows_of(tmp_path / "out")] == ["done"] * 4
    assert {row["subject"] for row in rows_of(tmp_path / "out")} == {"01", "02", "03"}


def test_a_data_set_may_be_the_folder_one_is_in(study, monkeypatch, capsys):
    monkeypatch.chdir(study)

    assert main([".", "../out", "participant", "--target-site", "B", "--dry-run", "--participant-label", "03"]) == 0

    assert capsys.readouterr().out.splitlines()[1].startswith(f"{SCANS['03']}.nii.gz\tB\t")


@pytest.mark.usefixtures("study")
def test_a_run_goes_on_where_an_earlier_one_ended(tmp_path, capsys):
    call = ["raw", "out", "participant", "--target", f"raw/{SCANS['03']}.nii.gz", *OPTIONS]
    assert main([*call, "--session-id", "1"]) == 0
    before = (tmp_path / "out" / f"{result_of(SCANS['01'])}.nii.gz").stat().st_mtime_ns

    assert main(call) == 0

    assert "4 of 4 scans harmonized, 3 of them by an earlier run" in capsys.readouterr().out
    assert (tmp_path / "out" / f"{result_of(SCANS['01'])}.nii.gz").stat().st_mtime_ns == before


def test_a_scan_that_fails_does_not_stop_the_others(study, tmp_path, capsys):
    (study / f"{SCANS['02']}.nii.gz").write_bytes(b"broken")

    status = main(["raw", "out", "participant", "--target", f"raw/{SCANS['03']}.nii.gz", *OPTIONS])

    assert status == 70
    said = capsys.readouterr()
    assert "3 of 4 scans harmonized" in said.out
    assert "failed: " in said.err
    assert [row["status"] for row in rows_of(tmp_path / "out")] == ["done", "done", "failed", "done"]


@pytest.mark.usefixtures("study")
def test_a_dry_run_says_what_would_be_done_and_does_nothing(tmp_path, tree, capsys):
    before = tree(tmp_path)

    assert main(["raw", "out", "participant", "--target-site", "A", "--dry-run", "--participant-label", "03"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "source\tsite\ttarget\toutput\tlesion_mask\tbrain_mask",
        f"raw/{SCANS['03']}.nii.gz\tB\tthe medoid of 2 scans of A\tout/{result_of(SCANS['03'])}.nii.gz\tn/a\tn/a",
    ]
    assert tree(tmp_path) == before


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_copy_of_a_test_scan_as_target_is_warned_of(options, tmp_path, capsys):
    (tmp_path / "target.nii.gz").write_bytes((tmp_path / f"raw/{SCANS['02']}.nii.gz").read_bytes())
    asked = ["--target", "target.nii.gz", "--participant-label", "03", *options]

    assert main(["raw", "out", "participant", *OPTIONS, *asked]) == 0

    assert "warning: the target target.nii.gz is among the test subjects" in capsys.readouterr().err


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "neither --target nor --target-site", id="no target"),
        pytest.param(["--target", "gone.nii"], "gone.nii does not exist", id="target"),
        pytest.param(["--target-site", "C"], "no site is called 'C'", id="site"),
        pytest.param(
            ["--target-site", "A", "--participant-label", "9"], "no participant is called 9", id="participant"
        ),
        pytest.param(
            ["--target-site", "A", "--bids-filter-file", "f.json"], "f.json cannot be read as JSON", id="filter"
        ),
        pytest.param(["--target-site", "A", "--strength", "2"], "strength is 2.0", id="strength"),
        pytest.param(["--target-site", "A", "--nprocs", "-1"], "is -1, expected", id="processes"),
        pytest.param(["--target-site", "A", "--mem-gb", "0"], "memory is 0.0 GB", id="memory"),
        pytest.param(["--target-site", "A", "-w", "raw/work"], "--work-dir raw/work lies among", id="work dir"),
        pytest.param(["--targt", "x"], "No such option: --targt", id="option"),
    ],
)
def test_a_wrong_call_is_one_line_and_leaves_nothing(arguments, said, tmp_path, tree, capsys):
    (tmp_path / "f.json").write_text("{")
    before = tree(tmp_path)

    assert main(["raw", "out", "participant", "--skip-bids-validation", *arguments]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
    assert tree(tmp_path) == before


@pytest.mark.usefixtures("study")
def test_results_among_raw_scans_are_refused(capsys):
    assert main(["raw", "raw/out", "participant", "--target-site", "A"]) == 2
    assert "write to raw/derivatives/hail-mri" in capsys.readouterr().err.lower()


@pytest.mark.usefixtures("study")
def test_without_a_validator_that_is_said(monkeypatch, capsys):
    monkeypatch.setattr("hail_mri.apps.bids.participant.find_validator", lambda: None)

    main(["raw", "out", "participant", "--target", f"raw/{SCANS['03']}.nii.gz", "--nprocs", "0"])

    assert "note: the data set is not validated: no bids-validator is installed" in capsys.readouterr().err


def test_reports_are_those_of_scans_participants_and_the_study(study, tmp_path, tree, capsys):
    options = [option for option in OPTIONS if option != "--no-reports"]
    call = ["raw", "out", "participant", "--target", f"raw/{SCANS['03']}.nii.gz", *options, "--participant-label", "03"]
    report = tmp_path / "out" / f"{result_of(SCANS['03'])}_report.html"

    assert main(call) == 0
    assert report.is_file()
    report.unlink()
    assert main([*call, "--reports-only"]) == 0
    status = main(["raw", "out", "group"])

    # Three scans have no result yet.
    assert status == 70
    said = capsys.readouterr()
    assert "1 of 4 scans are harmonized; the report is out/study_report.html" in said.out
    assert said.err.count("it has no result") == 3
    assert report.is_file()
    assert {"sub-03.html", "study_report.html"} <= set(tree(tmp_path / "out"))
    if find_validator() is not None:
        assert errors_of(tmp_path / "out", find_validator()) == []
    assert not list((study / "derivatives").glob("*"))


@pytest.mark.parametrize("call", [["group"], ["participant", "--reports-only"]])
@pytest.mark.usefixtures("study")
def test_reports_without_results_tell_what_to_run_first(call, capsys):
    assert main(["raw", "out", *call]) == 2
    assert "Run that level first" in capsys.readouterr().err


def test_version_and_help_are_shown(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hail-mri-bids ")
    assert main([]) == 0
    assert "--participant-label" in capsys.readouterr().out
