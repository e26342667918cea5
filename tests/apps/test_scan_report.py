import pytest

from hail_mri.apps.cli import main
from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.apps.scan_report import report_scan


@pytest.fixture
def folder(tmp_path, make_scan, monkeypatch):
    """Return a folder with three small scans, in which the test runs."""
    for seed, name in enumerate(("scans/a.nii.gz", "scans/b.nii.gz", "target.nii.gz")):
        make_scan(tmp_path / name, seed=seed, spacing=4.0)
    monkeypatch.chdir(tmp_path)
    return tmp_path


HARMONIZE_ONE = [
    "harmonize",
    "scans/a.nii.gz",
    "--target",
    "target.nii.gz",
    "-o",
    "out/a.nii.gz",
    "--force",
    "--report",
]


def test_a_report_lies_beside_the_result(folder, tree):
    assert main(HARMONIZE_ONE) == 0
    assert tree(folder / "out") == ["a.json", "a.nii.gz", "a_report.html"]
    html = (folder / "out" / "a_report.html").read_text(encoding="utf-8")
    assert "Harmonization of a.nii.gz" in html
    assert html.count("data:image/png;base64,") == 18  # source, target and result; the slider; the change


def test_there_is_none_unless_it_is_asked_for(folder, tree):
    assert main([argument for argument in HARMONIZE_ONE if argument != "--report"]) == 0
    assert tree(folder / "out") == ["a.json", "a.nii.gz"]


def test_a_report_that_is_there_is_not_replaced_and_nothing_is_computed(folder, tree, capsys):
    (folder / "out").mkdir()
    (folder / "out" / "a_report.html").write_text("mine")
    assert main(HARMONIZE_ONE) == 2
    assert "a_report.html exists, expected a new name" in capsys.readouterr().err
    assert tree(folder / "out") == ["a_report.html"]
    assert (folder / "out" / "a_report.html").read_text() == "mine"
    assert main([*HARMONIZE_ONE, "--overwrite"]) == 0
    assert (folder / "out" / "a_report.html").read_text() != "mine"


def test_a_report_that_fails_is_said_and_the_result_stays(folder, tree, capsys):
    assert main([argument for argument in HARMONIZE_ONE if argument != "--report"]) == 0
    request = ScanRequest(folder / "scans/a.nii.gz", folder / "out/a.nii.gz", lesion_mask=folder / "none.nii.gz")
    capsys.readouterr()
    assert report_scan(request, TargetFiles(folder / "target.nii.gz", is_style_card=False), overwrite=False) is None
    said = capsys.readouterr().err
    assert "a.nii.gz is done, but its report could not be written" in said
    assert "none.nii.gz does not exist" in said
    assert tree(folder / "out") == ["a.json", "a.nii.gz"]


def test_a_batch_has_a_report_of_each_scan_and_keeps_those_of_an_earlier_run(folder, tree):
    command = ["harmonize", "scans", "--target", "target.nii.gz", "-o", "out", "--force", "--report"]
    assert main(command) == 0
    reports = [path for path in tree(folder / "out") if path.endswith(".html")]
    assert reports == ["a_report.html", "b_report.html"]
    (folder / "out" / "a_report.html").write_text("looked at")
    (folder / "out" / "b_report.html").unlink()
    assert main(command) == 0
    assert (folder / "out" / "a_report.html").read_text() == "looked at"
    assert (folder / "out" / "b_report.html").exists()
