import csv
import json

import nibabel as nib
import numpy as np
import pytest

from hail_mri.apps.cli import main
from hail_mri.errors import InputError
from hail_mri.image.nifti import load_volume
from hail_mri.simulation.multisite import write_multisite_study


@pytest.fixture(scope="module")
def study(tmp_path_factory, ball_labels):
    folder = tmp_path_factory.mktemp("anatomies")
    nib.save(nib.Nifti1Image(ball_labels.astype(np.int16), np.diag([4, 4, 4, 1])), folder / "one.nii.gz")
    out = tmp_path_factory.mktemp("out") / "study"
    return write_multisite_study(out, n_subjects=2, sites=["A", "B"], n_twice=1, label_maps_dir=folder, spacing=8.0)


def scan_of(study, subject, session):
    return study / f"sub-{subject}/ses-{session}/anat/sub-{subject}_ses-{session}_T1w.nii.gz"


def test_some_subjects_of_each_site_come_twice(study):
    found = sorted(path.name for path in study.rglob("*_T1w.nii.gz"))

    visits = [("01", 1), ("01", 2), ("02", 1), ("03", 1), ("03", 2), ("04", 1)]
    assert found == [f"sub-{subject}_ses-{session}_T1w.nii.gz" for subject, session in visits]


def test_each_subject_is_of_one_site_which_the_table_and_the_sidecars_tell(study):
    with (study / "participants.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, dialect="excel-tab"))
    told = json.loads(scan_of(study, "04", 1).with_name("sub-04_ses-1_T1w.json").read_text())

    assert [(row["participant_id"], row["site"]) for row in rows] == [
        ("sub-01", "A"),
        ("sub-02", "A"),
        ("sub-03", "B"),
        ("sub-04", "B"),
    ]
    assert told["InstitutionName"] == "simulated site B"
    assert len({row["subject_seed"] for row in rows}) == 4


def test_two_sessions_of_a_subject_are_two_scans_of_the_same_units(study):
    first, second = (load_volume(scan_of(study, "01", session)).data for session in (1, 2))

    assert not np.array_equal(first, second)
    assert abs(first.max() / second.max() - 1) < 0.5


@pytest.mark.parametrize("n_twice", [-1, 3])
def test_no_more_subjects_come_twice_than_there_are(n_twice, tmp_path):
    with pytest.raises(InputError, match="expected 0 to 2"):
        write_multisite_study(tmp_path / "out", n_subjects=2, sites=["A"], n_twice=n_twice, spacing=8.0)


def test_the_command_asks_for_the_design_that_has_second_sessions(tmp_path, capsys):
    call = ["simulate", "-o", str(tmp_path / "out"), "--subjects", "1", "--sites", "A", "--twice", "1"]

    assert main(call) == 2

    assert "--twice is given with --design travelling, expected it with --design multisite" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
