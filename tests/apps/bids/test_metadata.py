import pytest

from hail_mri.apps.bids.dataset import open_dataset
from hail_mri.apps.bids.metadata import Sidecars
from hail_mri.errors import InputError

bids2table = pytest.importorskip("bids2table")

SCAN = "sub-01/ses-1/anat/sub-01_ses-1_acq-a_T1w.nii.gz"
INHERITED = {
    "T1w.json": {"Manufacturer": "root", "EchoTime": 1},
    "acq-a_T1w.json": None,
    "sub-01/sub-01_T1w.json": {"EchoTime": 2, "FlipAngle": 8},
    "sub-01/ses-1/anat/sub-01_ses-1_acq-a_T1w.json": {"FlipAngle": 9},
    "sub-01/ses-1/anat/sub-01_ses-1_acq-b_T1w.json": {"FlipAngle": 1},
    "sub-01/ses-1/anat/sub-01_ses-1_T2w.json": {"FlipAngle": 2},
}


def test_what_is_nearer_to_the_scan_counts(make_dataset):
    root = make_dataset(SCAN, sidecars={path: told for path, told in INHERITED.items() if told is not None})

    told = Sidecars().of(open_dataset(root).scans[0])

    assert told == {"Manufacturer": "root", "EchoTime": 2, "FlipAngle": 9}
    assert told == bids2table.load_bids_metadata(root / SCAN)


def test_sidecars_above_the_data_set_do_not_count(make_dataset, tmp_path):
    root = make_dataset(SCAN)
    (tmp_path / "T1w.json").write_text('{"Manufacturer": "somebody"}')

    assert Sidecars().of(open_dataset(root).scans[0]) == {}


def test_two_sidecars_of_one_folder_are_refused(make_dataset):
    root = make_dataset(SCAN, sidecars={"T1w.json": {}, "acq-a_T1w.json": {}})

    with pytest.raises(InputError, match=r"T1w.json and .*T1w.json in .* both tell of"):
        Sidecars().of(open_dataset(root).scans[0])


def test_a_broken_sidecar_is_refused_with_its_name(make_dataset):
    root = make_dataset(SCAN, "T1w.json")

    with pytest.raises(InputError, match=r"T1w\.json"):
        Sidecars().of(open_dataset(root).scans[0])
