import json
import tempfile

import pytest

from hail_mri.apps.bids.dataset import open_dataset
from hail_mri.errors import InputError, MissingFileError, UnwritableError

pytest.importorskip("bids2table")


def names(scans):
    return [scan.relative.name for scan in scans]


def test_t1_weighted_scans_are_found_with_their_entities(two_sites):
    dataset = open_dataset(two_sites)

    assert dataset.subjects == ("01", "02", "03")
    assert [(scan.subject, scan.session) for scan in dataset.scans] == [
        ("01", "1"),
        ("01", "2"),
        ("02", "1"),
        ("03", "1"),
    ]
    assert dataset.scans[2].entities == {"sub": "02", "ses": "1", "acq": "a"}
    assert dataset.scans[2].path == two_sites / "sub-02/ses-1/anat/sub-02_ses-1_acq-a_T1w.nii.gz"


@pytest.mark.parametrize("folder", ["ds000001.v1", "[1] a study", ".hidden"])
def test_the_name_of_the_folder_does_not_matter(folder, make_dataset):
    root = make_dataset("sub-01/anat/sub-01_T1w.nii", folder=folder)

    assert names(open_dataset(root).scans) == ["sub-01_T1w.nii"]


def test_links_are_followed_as_data_sets_of_links_are_common(make_dataset, tmp_path):
    root = make_dataset("sub-01/anat/sub-01_T1w.nii.gz")
    (tmp_path / "elsewhere/anat").mkdir(parents=True)
    (tmp_path / "elsewhere/anat/sub-02_T1w.nii.gz").write_bytes(b"")
    (root / "sub-02").symlink_to(tmp_path / "elsewhere")

    assert names(open_dataset(root).scans) == ["sub-01_T1w.nii.gz", "sub-02_T1w.nii.gz"]


def test_what_is_no_scan_is_left_out_with_a_reason(make_dataset):
    root = make_dataset(
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_desc-preproc_T1w.nii.gz",
        "sub-01/anat/sub-01_space-MNI_T1w.nii.gz",
        "sub-01/anat/sub-01_part-phase_T1w.nii.gz",
        "sub-01/anat/sub-02_T1w.nii.gz",
        "derivatives/other/sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_T1w.mgz",
    )

    dataset = open_dataset(root)

    assert names(dataset.scans) == ["sub-01_T1w.nii.gz"]
    reasons = {path.name: reason for path, reason in dataset.skipped}
    assert "derivative" in reasons["sub-01_desc-preproc_T1w.nii.gz"]
    assert "derivative" in reasons["sub-01_space-MNI_T1w.nii.gz"]
    assert "no magnitudes" in reasons["sub-01_part-phase_T1w.nii.gz"]
    assert "two subjects" in reasons["sub-02_T1w.nii.gz"]
    assert "not called as BIDS has it" in reasons["sub-01_T1w.mgz"]
    assert len(reasons) == 5


@pytest.mark.parametrize(
    "path",
    [
        "sub-01/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_T1W.NII.GZ",
        "sub-01/anat/sub-01_T1.nii",
        "sub-the first/anat/sub-the first_T1w.nii.gz",
        "sub-<b>/anat/sub-<b>_T1w.nii.gz",
    ],
)
def test_what_looks_like_a_scan_and_is_called_otherwise_is_named(path, make_dataset):
    dataset = open_dataset(make_dataset("sub-02/anat/sub-02_T1w.nii.gz", path))

    assert names(dataset.scans) == ["sub-02_T1w.nii.gz"]
    ((skipped, reason),) = dataset.skipped
    assert skipped == dataset.root / path
    assert "not called as BIDS has it" in reason


def test_links_that_lead_round_in_circles_end(make_dataset):
    root = make_dataset("sub-01/anat/sub-01_T1w.nii.gz")
    (root / "sub-01/round").symlink_to(".")
    (root / "sub-01/itself").symlink_to("itself")

    dataset = open_dataset(root)

    assert names(dataset.scans) == ["sub-01_T1w.nii.gz"]
    assert {path.parent.parent.name for path, _ in dataset.skipped} == {"round"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("sub-01/ses-A/anat/sub-01_ses-B_T1w.nii.gz", "sub-01/ses-B/anat", id="another session"),
        pytest.param("sub-01/ses-A/anat/sub-01_T1w.nii.gz", "sub-01/anat", id="no session in the name"),
        pytest.param("sub-01/anat/sub-01_ses-B_acq-x_T1w.nii.gz", "sub-01/ses-B/anat", id="no folder of a session"),
    ],
)
def test_a_scan_that_is_not_in_the_folder_of_its_name_is_left_out(path, expected, make_dataset):
    dataset = open_dataset(make_dataset("sub-02/anat/sub-02_T1w.nii.gz", path))

    assert names(dataset.scans) == ["sub-02_T1w.nii.gz"]
    ((skipped, reason),) = dataset.skipped
    assert skipped == dataset.root / path
    assert reason == f"it lies in {path.rsplit('/', 1)[0]}, expected {expected} by its name"


@pytest.mark.parametrize(
    ("description", "said"),
    [
        pytest.param({"Name": "a"}, "has no BIDSVersion, expected a text", id="no version"),
        pytest.param({"BIDSVersion": "1.10.0", "Name": 3}, "has no Name", id="a number for a name"),
        pytest.param(
            {"Name": "a", "BIDSVersion": "1", "DatasetType": "derivative"}, "type 'derivative'", id="derivative"
        ),
    ],
)
def test_a_data_set_that_is_described_wrongly_is_refused(description, said, make_dataset):
    root = make_dataset("sub-01/anat/sub-01_T1w.nii", description=description)

    with pytest.raises(InputError, match=said):
        open_dataset(root)


def test_a_folder_without_a_description_is_told_of_the_plain_command(make_dataset):
    root = make_dataset("sub-01/anat/sub-01_T1w.nii")
    (root / "dataset_description.json").unlink()

    with pytest.raises(InputError, match=r"no dataset_description\.json") as caught:
        open_dataset(root)

    assert "hail-mri harmonize" in caught.value.hint


def test_a_data_set_without_scans_says_what_was_expected(make_dataset):
    with pytest.raises(InputError, match="no folders of subjects"):
        open_dataset(make_dataset("readme.txt", folder="a"))
    with pytest.raises(InputError, match="no T1w scan"):
        open_dataset(make_dataset("sub-01/anat/sub-01_T2w.nii.gz", folder="b"))


def test_a_folder_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingFileError):
        open_dataset(tmp_path / "gone")


def test_the_description_is_kept(make_dataset):
    root = make_dataset("sub-01/anat/sub-01_T1w.nii")

    assert open_dataset(root).description == json.loads((root / "dataset_description.json").read_text())


def test_where_no_temporary_folder_can_be_used_it_is_named(make_dataset, tmp_path, monkeypatch):
    root = make_dataset("sub-01/anat/sub-01_T1w.nii.gz")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    with pytest.raises(UnwritableError, match=r"no folder for temporary files .*gone") as caught:
        open_dataset(root)

    assert "TMPDIR" in caught.value.hint
