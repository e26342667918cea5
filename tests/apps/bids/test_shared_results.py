"""Runs of some participants and of all into one folder of results."""

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
