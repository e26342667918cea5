"""Small BIDS data sets: names, tables and sidecars; images only where they are read."""

import csv
import json
from dataclasses import dataclass
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


@dataclass(frozen=True)
class App:
    """The App on a small study; a ball in a shell is no head, so it is forced."""

    root: Path
    output: Path

    def run(self, *arguments: str, level: str = "participant") -> int:
        from hail_mri.apps.bids.cli import main

        options = ("--force", "--nprocs", "0", "--skip-bids-validation") if level == "participant" else ()
        reports = () if {"--reports", "--reports-only"} & set(arguments) or level == "group" else ("--no-reports",)
        target = () if "--target" in arguments or level == "group" else ("--target", str(self.source("03")))
        return main([str(self.root), str(self.output), level, *options, *reports, *target, *arguments])

    def source(self, subject: str) -> Path:
        return self.root / f"sub-{subject}/anat/sub-{subject}_T1w.nii.gz"

    def result(self, subject: str) -> Path:
        return self.output / f"sub-{subject}/anat/sub-{subject}_desc-harmonized_T1w.nii.gz"

    @property
    def rows(self) -> list[dict[str, str]]:
        with (self.output / "harmonized.tsv").open(newline="") as file:
            return list(csv.DictReader(file, dialect="excel-tab"))

    @property
    def status(self) -> dict[str, str]:
        """What became of each image, by the name of its source."""
        return {Path(row["source"]).name: row["status"] for row in self.rows}


@pytest.fixture
def app(make_dataset, make_scan, tmp_path) -> App:
    """Return the App on a study of three participants with a scan each."""
    found = App(
        make_dataset(participants=[("participant_id",), ("sub-01",), ("sub-02",), ("sub-03",)]), tmp_path / "out"
    )
    for seed, subject in enumerate(("01", "02", "03")):
        make_scan(found.source(subject), seed=seed, spacing=4.0)
    return found
