"""Runs of some participants and of all into one folder of results."""

import shutil
from dataclasses import replace

import pytest

from hail_mri.apps.bids.claims import claimed
from hail_mri.apps.engine.states import read_states, write_state
from hail_mri.provenance.sidecar import sidecar_path

pytest.importorskip("bids2table")


@pytest.mark.parametrize("labels", [(), ("01", "02")])
def test_what_a_killed_run_of_one_participant_leaves_is_cleared_by_a_run_of_more(labels, app):
    assert app.run("--participant-label", "01") == 0
    # Killed between the two names: the sidecar has its own, the result has not.
    app.result("01").unlink()
    (state,) = read_states(app.output)
    write_state(replace(state, status="running"), app.output)

    assert app.run(*(("--participant-label", *labels) if labels else ())) == 0

    assert app.result("01").is_file()
    assert sidecar_path(app.result("01")).is_file()
    assert app.status["sub-01_T1w.nii.gz"] == "done"
    assert {row["attempts"] for row in app.rows if row["subject"] == "01"} == {"2"}


def test_runs_that_share_a_participant_are_refused_and_others_are_not(app, capsys):
    with claimed(app.output, {"01"}):
        assert app.run() == 2
        assert app.run("--participant-label", "01", "02") == 2
        assert app.run("--participant-label", "02", "03") == 0

    assert capsys.readouterr().err.count("sub-01 is being harmonized by another run") == 2
    assert app.run() == 0
    assert app.status == {
        "sub-01_T1w.nii.gz": "done",
        "sub-02_T1w.nii.gz": "done already",
        "sub-03_T1w.nii.gz": "done already",
    }
    assert not list(app.output.glob(".hail-mri/claims/*"))


@pytest.mark.parametrize("name", ["", "/claims", "/runs", "/states"])
def test_a_link_in_place_of_what_is_kept_is_refused_and_what_it_leads_to_stays(name, app, tmp_path, capsys):
    assert app.run("--participant-label", "01") == 0
    (tmp_path / "home").mkdir()
    (tmp_path / "home/mine.lock").write_text("mine")
    kept = app.output / f".hail-mri{name}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.symlink_to(tmp_path / "home")

    assert app.run("--participant-label", "02") == 2

    assert "is a link to" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["mine.lock"]


def test_a_scan_that_was_replaced_does_not_stop_the_others(app, make_scan):
    assert app.run("--participant-label", "01") == 0
    before = app.result("01").read_bytes()
    make_scan(app.source("01"), seed=9, spacing=4.0)

    assert app.run() == 70

    assert app.status == {
        "sub-01_T1w.nii.gz": "failed",
        "sub-02_T1w.nii.gz": "done",
        "sub-03_T1w.nii.gz": "done",
    }
    assert app.result("01").read_bytes() == before


def test_a_folder_of_results_that_leads_elsewhere_is_not_written_through(app, tmp_path):
    assert app.run("--participant-label", "02") == 0
    (tmp_path / "elsewhere").mkdir()
    (app.output / "sub-01").symlink_to(tmp_path / "elsewhere")

    assert app.run("--participant-label", "01") == 2

    assert not list((tmp_path / "elsewhere").rglob("*"))
