"""Data sets as one finds them: what is broken ends with its reason in the table, and all else is done."""

import pytest

pytest.importorskip("bids2table")


def damaged_sidecar(app):
    app.source("01").with_name("sub-01_T1w.json").write_text('{"Manufacturer": "Sie')


def sidecar_of_a_list(app):
    app.source("01").with_name("sub-01_T1w.json").write_text("[1, 2]")


def two_sidecars(app):
    for name in ("T1w.json", "sub-01_T1w.json"):
        (app.root / "sub-01" / name).write_text("{}")


def folder_for_a_sidecar(app):
    app.source("01").with_name("sub-01_T1w.json").mkdir()


def damaged_table_of_scans(app):
    (app.root / "sub-01/sub-01_scans.tsv").write_bytes(b"filename\tsite\n\xff\xfe\n")


def table_of_sessions_with_a_short_row(app):
    (app.root / "sub-01/sub-01_sessions.tsv").write_text("session_id\tsite\nses-1\n")


def a_second_image(app):
    app.source("01").with_name("sub-01_T1w.nii").write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(damaged_sidecar, "sub-01_T1w.json cannot be read as JSON", id="sidecar"),
        pytest.param(sidecar_of_a_list, "holds a list", id="list"),
        pytest.param(two_sidecars, "T1w.json in", id="two sidecars"),
        pytest.param(folder_for_a_sidecar, "sub-01_T1w.json is a folder", id="folder"),
        pytest.param(damaged_table_of_scans, "sub-01_scans.tsv cannot be read as a table", id="scans"),
        pytest.param(table_of_sessions_with_a_short_row, "line 2 has 1 cells, expected 2", id="sessions"),
        pytest.param(a_second_image, "sub-01_T1w.nii and sub-01_T1w.nii.gz would have one result", id="two images"),
    ],
)
def test_what_is_damaged_of_one_participant_stops_no_other(damage, said, app, capsys):
    damage(app)

    assert app.run("--participant-label", "01", "02") == 70

    assert f"failed: {app.source('01').parent}" in capsys.readouterr().err
    rows = {row["subject"]: row for row in app.rows}
    assert {subject: row["status"] for subject, row in rows.items()} == {"01": "failed", "02": "done"}
    assert said in rows["01"]["message"]
    assert (
        rows["01"]["output"] == "sub-01/anat/sub-01_desc-harmonized_T1w.nii.gz"
    )  # the row of a result takes its place
    assert not app.result("01").exists()


def test_what_is_damaged_of_one_participant_is_nothing_to_runs_of_others(app):
    damaged_sidecar(app)

    assert app.run("--participant-label", "02") == 0


def test_a_sidecar_at_the_root_that_is_damaged_is_refused(app, capsys):
    (app.root / "T1w.json").write_text("{")

    assert app.run() == 2

    assert "T1w.json cannot be read as JSON" in capsys.readouterr().err
    assert not app.output.exists()


def test_a_scan_in_the_folder_of_another_session_is_left_out_and_named(app, make_scan, capsys):
    make_scan(app.root / "sub-01/ses-A/anat/sub-01_ses-B_acq-x_T1w.nii.gz")

    assert app.run("--participant-label", "01") == 0

    assert "it lies in sub-01/ses-A/anat, expected sub-01/ses-B/anat by its name" in capsys.readouterr().err
    assert app.status == {"sub-01_T1w.nii.gz": "done", "sub-01_ses-B_acq-x_T1w.nii.gz": "skipped"}


@pytest.mark.parametrize(
    ("labels", "statuses"),
    [((), {"01": "done", "02": "failed", "03": "failed"}), (("02",), {"02": "failed"})],
)
def test_scans_of_a_site_without_a_target_are_failed(labels, statuses, app, tmp_path):
    (app.root / "participants.tsv").write_text("participant_id\tsite\nsub-01\tA\nsub-02\tB\nsub-03\tn/a\n")
    (tmp_path / "targets.tsv").write_text(f"site\ttarget\nA\t{app.source('03')}\n")
    asked = ("--participant-label", *labels) if labels else ()

    assert app.run("--target", str(tmp_path / "targets.tsv"), *asked) == 70

    assert {row["subject"]: row["status"] for row in app.rows} == statuses
    messages = {row["subject"]: row["message"] for row in app.rows}
    assert "no target is given for its site B" in messages["02"]
    assert "its site is not known" in messages.get("03", "its site is not known")


def test_a_dry_run_names_what_cannot_be_harmonized(app, capsys):
    damaged_sidecar(app)

    assert app.run("--dry-run") == 0

    said = capsys.readouterr()
    assert "failed: " in said.err
    assert "sub-01_T1w.json" in said.err
    assert "sub-01_T1w.nii.gz" not in said.out
