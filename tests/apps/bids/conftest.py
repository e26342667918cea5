"""Small BIDS data sets: names, tables and sidecars; images only where they are read."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def make_dataset(tmp_path):
    """Return a function that writes a data set: empty files, `participants.tsv` from rows, JSON from values."""

    def make(*paths: str, folder: str = "raw", participants=None, sidecars=None, description=None) -> Path:
        root = tmp_path / folder
        root.mkdir(parents=True)
        description = {"Name": "a study", "BIDSVersion": "1.10.0"} if description is None else description
        (root / "dataset_description.json").write_text(json.dumps(description))
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(b"")
        if participants is not None:
            (root / "participants.tsv").write_text("".join("\t".join(row) + "\n" for row in participants))
        for path, told in (sidecars or {}).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(json.dumps(told))
        return root

    return make


@pytest.fixture
def two_sites(make_dataset):
    """Return a data set of three participants at two sites, one of them with two sessions; images are empty."""
    return make_dataset(
        "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz",
        "sub-02/ses-1/anat/sub-02_ses-1_acq-a_T1w.nii.gz",
        "sub-03/ses-1/anat/sub-03_ses-1_T1w.nii.gz",
        "sub-03/ses-1/anat/sub-03_ses-1_T2w.nii.gz",
        participants=[("participant_id", "site"), ("sub-01", "A"), ("sub-02", "B"), ("sub-03", "B")],
    )
