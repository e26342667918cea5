import json

import pytest

from hail_mri.provenance.bids_uris import bids_uri


@pytest.fixture
def result(tmp_path):
    """Return the path of a result in a data set that links to raw scans beside it."""
    path = tmp_path / "out/sub-01/anat/result.nii.gz"
    path.parent.mkdir(parents=True)
    links = {"raw": "../my%20raw", "paper": "doi:10.1/x"}
    (tmp_path / "out/dataset_description.json").write_text(json.dumps({"DatasetLinks": links}))
    (tmp_path / "my raw/sub-01").mkdir(parents=True)
    return path


def test_a_file_of_a_linked_data_set_has_a_uri(result, tmp_path):
    assert bids_uri(tmp_path / "my raw/sub-01/a b.nii.gz", result) == "bids:raw:sub-01/a%20b.nii.gz"


def test_a_file_elsewhere_has_none(result, tmp_path):
    assert bids_uri(tmp_path / "target.nii.gz", result) is None


def test_a_link_in_a_data_set_keeps_its_name_there(result, tmp_path):
    (tmp_path / "store.nii.gz").write_bytes(b"")
    (tmp_path / "my raw/sub-01/T1w.nii.gz").symlink_to(tmp_path / "store.nii.gz")

    assert bids_uri(tmp_path / "my raw/sub-01/T1w.nii.gz", result) == "bids:raw:sub-01/T1w.nii.gz"


def test_a_file_of_a_data_set_in_another_has_the_name_of_the_inner_one(result, tmp_path):
    (tmp_path / "my raw/derivatives/masks").mkdir(parents=True)
    links = {"raw": "../my%20raw", "masks": "../my%20raw/derivatives/masks"}
    (tmp_path / "out/dataset_description.json").write_text(json.dumps({"DatasetLinks": links}))

    assert bids_uri(tmp_path / "my raw/derivatives/masks/a.nii", result) == "bids:masks:a.nii"
    assert bids_uri(tmp_path / "my raw/derivatives/a.nii", result) == "bids:raw:derivatives/a.nii"


@pytest.mark.parametrize(
    "description", ["", "[]", "{}", '{"DatasetLinks": ["../my raw"]}', '{"DatasetLinks": {"raw": 1}}']
)
def test_a_data_set_without_links_gives_none(description, result, tmp_path):
    (tmp_path / "out/dataset_description.json").write_text(description)

    assert bids_uri(tmp_path / "my raw/sub-01/a.nii.gz", result) is None


def test_a_result_in_no_data_set_gives_none(tmp_path):
    assert bids_uri(tmp_path / "a.nii", tmp_path / "b.nii") is None
