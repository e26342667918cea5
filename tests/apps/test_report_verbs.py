import csv

import pytest

from hail_mri.apps.cli import main
from hail_mri.image.nifti import save_volume
from hail_mri.provenance.hashes import file_sha256
from hail_mri.report.page import page

HEADER = ("source", "output", "status")


def write_table(folder, *rows):
    with (folder / "harmonized.tsv").open("w", newline="") as file:
        csv.writer(file, dialect="excel-tab", lineterminator="\n").writerows([HEADER, *rows])


@pytest.fixture
def results(tmp_path, make_scan):
    """Return a folder of results with one that has no brain, and no sidecar."""
    out = tmp_path / "out"
    make_scan(tmp_path / "in/sub-01_T1w.nii.gz", spacing=4.0)
    make_scan(out / "sub-01_T1w.nii.gz", spacing=4.0, seed=1)
    write_table(out, ("../in/sub-01_T1w.nii.gz", "sub-01_T1w.nii.gz", "done"))
    return out


@pytest.fixture(scope="module")
def brains(tmp_path_factory, simulated_slab):
    """Return a folder of results with a slab of a head."""
    root = tmp_path_factory.mktemp("brains")
    (root / "out").mkdir()
    save_volume(simulated_slab, root / "sub-01_T1w.nii.gz")
    save_volume(simulated_slab.with_data(2 * simulated_slab.data), root / "out/a.nii.gz")
    write_table(root / "out", ("../sub-01_T1w.nii.gz", "a.nii.gz", "done"))
    return root / "out"


def test_report_writes_the_reports_and_names_those_that_it_cannot_write(results, capsys):
    assert main(["report", str(results)]) == 70

    told = capsys.readouterr()
    assert (results / "study_report.html").is_file()
    assert "study_report.html tells of 1 lines" in told.out
    assert "brain volume" in (results / "study_report.html").read_text()
    assert "sub-01_T1w.nii.gz: no report: " in told.err
    assert "Traceback" not in told.err


def test_report_of_the_study_only(results, tree):
    before = tree(results)

    assert main(["report", str(results), "--study-only"]) == 0

    assert set(tree(results)) - set(before) == {"study_report.html"}


def test_a_report_that_is_there_is_replaced_only_if_asked(results, capsys):
    (results / "study_report.html").write_text("mine")

    assert main(["report", str(results), "--study-only"]) == 2
    assert (results / "study_report.html").read_text() == "mine"
    assert "study_report.html exists" in capsys.readouterr().err
    assert main(["report", str(results), "--study-only", "--overwrite"]) == 0
    assert (results / "study_report.html").read_text() != "mine"


@pytest.mark.parametrize(("told", "code"), [("0" * 64, 70), (None, 0)], ids=["of another result", "of this result"])
def test_a_report_of_a_scan_is_made_again_only_if_it_is_of_another_result(results, told, code):
    sha256 = told or file_sha256(results / "sub-01_T1w.nii.gz")
    (results / "sub-01_T1w_report.html").write_text(page("A scan", [], result_sha256=sha256))

    assert main(["report", str(results)]) == code  # it cannot be made: there is no sidecar


@pytest.mark.parametrize("verb", [["report"], ["features", "-o", "features.tsv"]])
def test_a_folder_without_results_is_refused(verb, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert main([verb[0], str(tmp_path / "nothing"), *verb[1:]]) == 2

    assert "harmonized.tsv does not exist" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_features_of_scans_without_a_brain_are_refused(results, tmp_path, capsys):
    assert main(["features", str(results), "-o", str(tmp_path / "f.tsv")]) == 2

    assert "no scan could be measured" in capsys.readouterr().err
    assert not (tmp_path / "f.tsv").exists()


def test_features_are_written_with_sites_and_covariates_of_participants(brains, tmp_path, capsys):
    people = tmp_path / "participants.tsv"
    people.write_text("participant_id\tsite\tage\nsub-01\tNorth\t31\n")

    assert main(["features", str(brains), "-o", str(tmp_path / "f.tsv"), "--participants", str(people)]) == 0

    with (tmp_path / "f.tsv").open(newline="") as file:
        (row,) = csv.DictReader(file, dialect="excel-tab")
    assert (row["subject"], row["SITE"], row["age"]) == ("01", "North", "31")
    assert float(row["white_matter_mean_after"]) == pytest.approx(2 * float(row["white_matter_mean_before"]), rel=1e-5)
    assert "features of 1 scans" in capsys.readouterr().out


def test_features_of_some_scans_are_written_and_the_others_named(brains, tmp_path, capsys):
    rows = [("../sub-01_T1w.nii.gz", "a.nii.gz", "done"), ("../sub-02_T1w.nii.gz", "b.nii.gz", "done")]
    write_table(brains, *rows)

    assert main(["features", str(brains), "-o", str(tmp_path / "f.tsv")]) == 70

    assert "failed: sub-02_T1w.nii.gz: source: " in capsys.readouterr().err
    assert len((tmp_path / "f.tsv").read_text().splitlines()) == 2
