"""What a sidecar tells of a scan's past, and what it does not."""

import json

import pytest

from hail_mri.harmonize.history import check_history

HARMONIZED = {"GeneratedBy": [{"Name": "hail-mri", "Version": "0.1"}], "Target": "../site/target_T1w.nii.gz"}


@pytest.fixture
def scan(tmp_path):
    return tmp_path / "scan_T1w.nii.gz"


def test_a_result_of_harmonizing_is_known_by_its_sidecar(scan):
    scan.with_name("scan_T1w.json").write_text(json.dumps(HARMONIZED))
    check = check_history(scan)
    assert check.verdict == "check"
    assert "target_T1w.nii.gz" in check.found


@pytest.mark.parametrize(
    "told",
    [
        None,
        "no JSON",
        "[1]",
        json.dumps({"Manufacturer": "Philips"}),
        json.dumps(HARMONIZED | {"GeneratedBy": [{"Name": "fmriprep"}]}),
        json.dumps(HARMONIZED | {"GeneratedBy": "hail-mri"}),
        json.dumps({key: value for key, value in HARMONIZED.items() if key != "Target"}),  # a simulated scan
    ],
)
def test_any_other_scan_is_not(scan, told):
    if told is not None:
        scan.with_name("scan_T1w.json").write_text(told)
    assert check_history(scan).verdict == "ok"


def test_a_name_from_outside_cannot_write_to_the_terminal(scan):
    scan.with_name("scan_T1w.json").write_text(json.dumps(HARMONIZED | {"Target": "a\x1b[2J\nb.nii"}))
    assert check_history(scan).found.isprintable()
