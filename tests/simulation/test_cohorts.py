import json
import re

import nibabel as nib
import numpy as np
import pytest

from hail_mri.errors import InputError, MissingFileError, OutputExistsError, UnwritableError
from hail_mri.image.nifti import load_volume
from hail_mri.simulation import cohorts
from hail_mri.simulation.cohorts import write_cohort
from hail_mri.simulation.tissues import TISSUES


@pytest.fixture(scope="module")
def label_maps_dir(tmp_path_factory, ball_labels):
    folder = tmp_path_factory.mktemp("anatomies")
    for name, labels in (("one", ball_labels), ("two", np.where(ball_labels == 3, 2, ball_labels))):
        nib.save(nib.Nifti1Image(labels.astype(np.int16), np.diag([4, 4, 4, 1])), folder / f"{name}.nii.gz")
    return folder


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, label_maps_dir):
    folder = tmp_path_factory.mktemp("out") / "cohort"
    return write_cohort(folder, n_subjects=3, sites=["A", "B"], label_maps_dir=label_maps_dir, spacing=8.0, seed=7)


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_cohort_is_this_tree(cohort):
    expected = ["README.md", "dataset_description.json", "participants.json", "participants.tsv"]
    truth = "derivatives/truth"
    expected += [f"{truth}/dataset_description.json", f"{truth}/dseg.tsv"]
    expected += [f"{truth}/desc-{mask}_mask.json" for mask in ("brain", "head")]
    for subject in ("sub-01", "sub-02", "sub-03"):
        for site, other in (("A", "B"), ("B", "A")):
            anat, start = f"{subject}/ses-{site}/anat", f"{subject}_ses-{site}"
            expected += [f"{anat}/{start}_T1w{suffix}" for suffix in (".json", ".nii.gz")]
            expected += [f"{truth}/{anat}/{start}_desc-truth{other}_T1w{suffix}" for suffix in (".json", ".nii.gz")]
            expected += [f"{truth}/{anat}/{start}_desc-{mask}_mask.nii.gz" for mask in ("brain", "head")]
            expected.append(f"{truth}/{anat}/{start}_dseg.nii.gz")

    assert files_of(cohort) == sorted(expected)


def test_names_are_those_of_bids(cohort):
    name = re.compile(r"sub-[0-9]+_ses-[A-Za-z0-9]+(_desc-[A-Za-z0-9]+)?_(T1w|mask|dseg)\.(nii\.gz|json)")

    for path in cohort.rglob("sub-*_*"):
        assert name.fullmatch(path.name), path.name
        assert path.name.startswith(f"{path.parts[-4]}_{path.parts[-3]}_")


def test_descriptions_say_what_bids_asks_for(cohort):
    raw, derived = (
        json.loads((folder / "dataset_description.json").read_text())
        for folder in (cohort, cohort / "derivatives" / "truth")
    )

    assert (raw["DatasetType"], derived["DatasetType"]) == ("raw", "derivative")
    for description in (raw, derived):
        assert set(description) >= {"Name", "BIDSVersion", "License", "GeneratedBy"}


def test_sidecars_give_times_in_seconds(cohort):
    described = json.loads((cohort / "sub-01/ses-B/anat/sub-01_ses-B_T1w.json").read_text())

    found = [described[key] for key in ("Manufacturer", "EchoTime", "RepetitionTime", "InversionTime", "FlipAngle")]
    assert found == ["Siemens", 0.0025, 1.9, 0.9, 9]


def test_subjects_take_the_anatomies_in_turn(cohort):
    rows = [line.split("\t") for line in (cohort / "participants.tsv").read_text().splitlines()]

    assert [row[:2] for row in rows[1:]] == [["sub-01", "one"], ["sub-02", "two"], ["sub-03", "one"]]
    assert len({row[2] for row in rows}) == 4


def test_the_truth_lies_on_the_grid_of_its_scan(cohort):
    truth_dir = cohort / "derivatives/truth/sub-01/ses-A/anat"
    scan = load_volume(cohort / "sub-01/ses-A/anat/sub-01_ses-A_T1w.nii.gz")
    truth, brain, head, tissue = (
        load_volume(truth_dir / f"sub-01_ses-A_{name}.nii.gz")
        for name in ("desc-truthB_T1w", "desc-brain_mask", "desc-head_mask", "dseg")
    )

    for volume in (truth, brain, head, tissue):
        assert volume.grid.is_close(scan.grid)
    assert set(np.unique(brain.data)) == set(np.unique(head.data)) == {0.0, 1.0}
    assert np.isin(tissue.data, np.arange(len(TISSUES))).all()
    # Everything bright is in the head; noise is not.
    assert scan.data[head.data > 0].mean() > 10 * scan.data[head.data == 0].mean()
    assert truth.data[tissue.data == 0].mean() < 0.05 * truth.data[tissue.data > 0].mean()


def test_a_subject_lies_differently_at_each_site(cohort):
    masks = [
        load_volume(cohort / f"derivatives/truth/sub-01/ses-{s}/anat/sub-01_ses-{s}_desc-head_mask.nii.gz")
        for s in "AB"
    ]

    assert not np.array_equal(masks[0].data, masks[1].data)


def test_the_same_seed_gives_the_same_bytes_and_fewer_subjects_the_same_first(cohort, label_maps_dir, tmp_path):
    done = []

    again = write_cohort(
        tmp_path / "again",
        n_subjects=2,
        sites=["B", "A"],
        label_maps_dir=label_maps_dir,
        spacing=8.0,
        seed=7,
        on_scan=lambda n_done, n_all: done.append((n_done, n_all)),
    )

    for path in again.rglob("sub-*_*"):
        assert path.read_bytes() == (cohort / path.relative_to(again)).read_bytes(), path.name
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_without_label_maps_the_mni_head_is_used(tmp_path):
    folder = write_cohort(tmp_path / "deep" / "cohort", n_subjects=1, sites=["C"], spacing=8.0)

    assert "mni152" in (folder / "participants.tsv").read_text()
    assert load_volume(folder / "sub-01/ses-C/anat/sub-01_ses-C_T1w.nii.gz").shape == (24, 30, 32)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        pytest.param({"sites": ["A", "X"]}, InputError, "no site is called 'X'", id="unknown site"),
        pytest.param({"sites": []}, InputError, "expected a list of names", id="no site"),
        pytest.param({"sites": "AB"}, InputError, "expected a list of names", id="a word for sites"),
        pytest.param({"sites": ["A", "A"]}, InputError, "more than once: A, A", id="same site twice"),
        pytest.param({"n_subjects": 0}, InputError, "0 subjects are asked for", id="no subject"),
        pytest.param({"seed": -1}, InputError, "the seed is -1", id="negative seed"),
        pytest.param({"spacing": 40.0}, InputError, "the spacing is 40 mm", id="spacing"),
        pytest.param({"label_maps_dir": "nowhere"}, MissingFileError, "no folder of label maps", id="no folder"),
    ],
)
def test_bad_requests_are_refused_and_leave_nothing(tmp_path, change, error, message):
    request = {"n_subjects": 1, "sites": ["A"], "spacing": 8.0} | change

    with pytest.raises(error, match=message):
        write_cohort(tmp_path / "out" / "cohort", **request)

    assert not list(tmp_path.iterdir())


def test_a_failure_half_way_leaves_nothing(label_maps_dir, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cohort(
            tmp_path / "a" / "b", n_subjects=1, sites=["A"], label_maps_dir=label_maps_dir, spacing=8.0, on_scan=stop
        )

    assert not list(tmp_path.iterdir())


def test_a_place_where_nothing_can_be_written_is_named(label_maps_dir, tmp_path):
    (tmp_path / "file").touch()
    request = {"n_subjects": 1, "sites": ["A"], "label_maps_dir": label_maps_dir, "spacing": 8.0}

    with pytest.raises(UnwritableError, match="is a file"):
        write_cohort(tmp_path / "file", **request)
    with pytest.raises(UnwritableError, match="could not be written"):
        write_cohort(tmp_path / "file" / "cohort", **request)
    assert files_of(tmp_path) == ["file"]


def test_only_an_earlier_cohort_is_overwritten(label_maps_dir, tmp_path):
    request = {"n_subjects": 1, "sites": ["A"], "label_maps_dir": label_maps_dir, "spacing": 8.0}
    write_cohort(tmp_path / "mine", **request)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "precious").touch()

    with pytest.raises(OutputExistsError, match="is not empty"):
        write_cohort(tmp_path / "mine", **request)
    with pytest.raises(OutputExistsError, match="is no cohort of hail-mri"):
        write_cohort(tmp_path / "theirs", **request, overwrite=True)
    write_cohort(tmp_path / "mine", **(request | {"sites": ["B"]}), overwrite=True)

    assert (tmp_path / "theirs" / "precious").exists()
    assert not (tmp_path / "mine/sub-01/ses-A").exists()
    assert (tmp_path / "mine/sub-01/ses-B").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "theirs"]


def test_anatomies_are_checked_when_their_turn_comes(tmp_path, ball_labels):
    folder = tmp_path / "anatomies"
    folder.mkdir()
    nib.save(nib.Nifti1Image((ball_labels * 3).astype(np.int16), np.diag([4, 4, 4, 1])), folder / "odd.nii.gz")

    with pytest.raises(InputError, match="no known FreeSurfer label"):
        write_cohort(tmp_path / "out", n_subjects=1, sites=["A"], label_maps_dir=folder, spacing=cohorts.COARSE_MM)

    assert not (tmp_path / "out").exists()
