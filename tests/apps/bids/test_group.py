"""What the level group says of results that are not what the table tells."""

import pytest

pytest.importorskip("bids2table")


def test_only_results_that_the_table_tells_of_are_done(app, capsys):
    assert app.run() == 0
    app.source("01").write_bytes(b"broken")
    app.run("--participant-label", "01", "--overwrite")  # it fails, and the result of before stays
    app.result("02").write_bytes(b"another")

    assert app.run(level="group") == 70

    said = capsys.readouterr()
    assert "1 of 3 scans are harmonized" in said.out
    missing = [line for line in said.err.splitlines() if "missing: " in line]
    assert len(missing) == 2
    assert "sub-01_T1w.nii.gz: it has failed: " in missing[0]
    assert "is not the file that harmonized.tsv tells of" in missing[1]
    assert f"{app.result('01')} is there, but this row does not tell of it" in missing[0]


def test_a_scan_that_cannot_be_harmonized_is_missing(app, capsys):
    assert app.run() == 0
    app.source("01").with_name("sub-01_T1w.nii").write_bytes(b"")

    assert app.run(level="group") == 70

    assert "sub-01_T1w.nii: sub-01_T1w.nii and sub-01_T1w.nii.gz would have one result" in capsys.readouterr().err


def test_twins_have_a_row_each_until_one_of_them_is_gone(app):
    assert app.run() == 0
    twin = app.source("01").with_name("sub-01_T1w.nii")
    twin.write_bytes(b"")

    assert app.run() == 70
    assert app.status == {
        "sub-01_T1w.nii": "failed",
        "sub-01_T1w.nii.gz": "failed",
        "sub-02_T1w.nii.gz": "done already",
        "sub-03_T1w.nii.gz": "done already",
    }
    assert app.run(level="group") == 70

    twin.unlink()
    assert app.run() == 0
    assert set(app.status.values()) == {"done already"}
    assert len(app.rows) == 3
    assert app.run(level="group") == 0
