import csv
import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from hail_mri.apps.batch import harmonize_batch
from hail_mri.apps.engine import in_process
from hail_mri.apps.scan import FileHarmonizer
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.errors import InputError, MissingFileError, OutputExistsError
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.provenance.hashes import file_sha256

pytestmark = pytest.mark.usefixtures("no_network")


CHECK, FAIL = 3.0, 6.0  # gains of scans that are worth a look, and that fail


def run(source: Path, output: Path | None, target: Path, *, overwrite: bool = False, force: bool = False):
    look = TargetFiles(target, is_style_card=False)
    return harmonize_batch(source, output, None, look, HarmonizeSettings(force=force), overwrite=overwrite)


def read_results(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, dialect="excel-tab"))


def test_every_scan_of_a_folder_gets_a_result_a_sidecar_and_a_row(tmp_path, make_scan, tree):
    target = make_scan(tmp_path / "target.nii.gz", seed=9)
    make_scan(tmp_path / "in/a.nii.gz", seed=1)
    make_scan(tmp_path / "in/sub/b.mgz", seed=2)

    outcomes, table_path = run(tmp_path / "in", tmp_path / "out", target)

    assert not any(outcome.failed for outcome in outcomes)
    assert tree(tmp_path / "out") == ["a.json", "a.nii.gz", "harmonized.tsv", "sub", "sub/b.json", "sub/b.nii.gz"]
    rows = read_results(table_path)
    assert [row["source"] for row in rows] == ["../in/a.nii.gz", "../in/sub/b.mgz"]
    assert [row["output"] for row in rows] == ["a.nii.gz", "sub/b.nii.gz"]
    assert [row["status"] for row in rows] == ["done", "done"]
    assert all(float(row["seconds"]) > 0 for row in rows)


def test_a_scan_that_fails_does_not_stop_the_rest(tmp_path, make_scan, tree):
    target = make_scan(tmp_path / "target.nii.gz", seed=9)
    for name in ("a", "c"):
        make_scan(tmp_path / f"in/{name}.nii.gz")
    (tmp_path / "in/b.nii.gz").write_bytes(b"not a scan")
    (tmp_path / "in/d.nii.gz").symlink_to("d.nii.gz")

    outcomes, table_path = run(tmp_path / "in", tmp_path / "out", target)

    assert [outcome.failed for outcome in outcomes] == [False, True, False, True]
    assert tree(tmp_path / "out") == ["a.json", "a.nii.gz", "c.json", "c.nii.gz", "harmonized.tsv"]
    assert "b.nii.gz" in read_results(table_path)[1]["message"]


def test_a_bug_on_one_scan_is_kept_in_full_and_does_not_stop_the_rest(tmp_path, make_scan, capsys):
    target = make_scan(tmp_path / "target.nii.gz", seed=9)
    make_scan(tmp_path / "in/b.nii.gz")
    nib.save(nib.Nifti1Image(np.arange(1000.0).reshape(10, 10, 10) * 100, np.eye(4)), tmp_path / "in/a.nii")

    outcomes, _ = run(tmp_path / "in", tmp_path / "out", target)

    assert [outcome.failed for outcome in outcomes] == [True, False]
    (trace,) = (tmp_path / "out/.hail-mri/errors").iterdir()
    assert "TypeError: a bug" in trace.read_text(encoding="utf-8")
    assert str(trace) in outcomes[0].message
    assert capsys.readouterr().err == ""


def test_the_table_of_results_is_a_table_of_requests(tmp_path, make_scan):
    target = make_scan(tmp_path / "target.nii.gz", seed=9)
    make_scan(tmp_path / "in/a.nii.gz")
    _, table_path = run(tmp_path / "in", tmp_path / "out", target)
    again = table_path.rename(tmp_path / "out/again.tsv")

    outcomes, _ = run(again, None, target, overwrite=True)

    assert [outcome.output.resolve() for outcome in outcomes] == [tmp_path / "out/a.nii.gz"]


def test_a_target_that_is_missing_stops_before_the_first_scan(tmp_path, make_scan, tree):
    make_scan(tmp_path / "in/a.nii.gz")

    with pytest.raises(MissingFileError):
        run(tmp_path / "in", tmp_path / "out", tmp_path / "missing.nii.gz")

    assert tree(tmp_path) == ["in", "in/a.nii.gz"]


def test_a_run_that_ends_before_its_first_scan_leaves_nothing_and_does_not_block_the_next(tmp_path, make_scan, tree):
    make_scan(tmp_path / "in/a.nii.gz")
    bad, good = make_scan(tmp_path / "bad.nii.gz", gain=FAIL), make_scan(tmp_path / "good.nii.gz")

    with pytest.raises(InputError, match=r"bad\.nii\.gz fails"):
        run(tmp_path / "in", tmp_path / "new/out", bad)

    assert not (tmp_path / "new").exists()
    outcomes, _ = run(tmp_path / "in", tmp_path / "new/out", good)
    assert [outcome.status for outcome in outcomes] == ["done"]
    assert tree(tmp_path / "new/out") == ["a.json", "a.nii.gz", "harmonized.tsv"]


def test_a_run_that_is_interrupted_while_the_model_loads_leaves_nothing(tmp_path, make_scan, monkeypatch):
    make_scan(tmp_path / "in/a.nii.gz")
    (tmp_path / "in/a_mask.nii.gz").touch()

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(FileHarmonizer, "__init__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "in", tmp_path / "out", make_scan(tmp_path / "target.nii.gz"))

    assert not (tmp_path / "out").exists()


def test_a_table_of_results_without_rows_is_one_of_ours(tmp_path, make_scan):
    make_scan(tmp_path / "in/a.nii.gz")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/harmonized.tsv").write_text("source\toutput\tstatus\tmessage\tseconds\n")

    _, table_path = run(tmp_path / "in", tmp_path / "out", make_scan(tmp_path / "target.nii.gz"))

    assert [row["status"] for row in read_results(table_path)] == ["done"]


def test_a_table_of_somebody_else_is_not_replaced(tmp_path, make_scan):
    make_scan(tmp_path / "in/a.nii.gz")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/harmonized.tsv").write_text("source\toutput\n")

    with pytest.raises(OutputExistsError, match=r"harmonized\.tsv exists"):
        run(tmp_path / "in", tmp_path / "out", make_scan(tmp_path / "target.nii.gz"))


def test_what_was_done_is_listed_when_the_run_is_interrupted(tmp_path, make_scan, monkeypatch, tree):
    target = make_scan(tmp_path / "target.nii.gz", seed=9)
    for name in ("a", "b"):
        make_scan(tmp_path / f"in/{name}.nii.gz")
    make_attempt = in_process.make_attempt

    def interrupt_at_b(task):
        if task.job.request.source.name == "b.nii.gz":
            raise KeyboardInterrupt
        return make_attempt(task)

    monkeypatch.setattr(in_process, "make_attempt", interrupt_at_b)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "in", tmp_path / "out", target)

    assert tree(tmp_path / "out") == ["a.json", "a.nii.gz", "harmonized.tsv"]
    assert [row["source"] for row in read_results(tmp_path / "out/harmonized.tsv")] == ["../in/a.nii.gz"]


def test_the_sidecar_tells_how_the_result_was_made(tmp_path, make_scan):
    target = make_scan(tmp_path / "target.nii.gz", seed=9)
    make_scan(tmp_path / "in/a.nii.gz")

    run(tmp_path / "in", tmp_path / "out", target)

    sidecar = json.loads((tmp_path / "out/a.json").read_text(encoding="utf-8"))
    assert sidecar["Sources"] == ["../in/a.nii.gz", "../target.nii.gz"]
    assert sidecar["Warnings"] == ["A warning."]
    assert list(sidecar["Seconds"]) == ["setup", "read", "transfer", "write"]


class TestRerun:
    @pytest.fixture
    def target(self, tmp_path, make_scan):
        make_scan(tmp_path / "in/a.nii.gz", seed=1)
        (tmp_path / "in/b.nii.gz").write_bytes(b"not a scan")
        target = make_scan(tmp_path / "target.nii.gz", seed=9)
        run(tmp_path / "in", tmp_path / "out", target)
        return target

    def statuses(self, tmp_path, target, **choices):
        outcomes, table_path = run(tmp_path / "in", tmp_path / "out", target, **choices)
        listed = {row["source"]: row["status"] for row in read_results(table_path)}
        assert listed == {f"../in/{outcome.source.name}": outcome.status for outcome in outcomes}
        return {outcome.source.name: outcome.status for outcome in outcomes}

    def test_what_is_missing_is_done_and_the_rest_stays(self, tmp_path, make_scan, target):
        make_scan(tmp_path / "in/b.nii.gz", seed=2)
        before = (tmp_path / "out/a.nii.gz").stat().st_mtime_ns

        assert self.statuses(tmp_path, target) == {"a.nii.gz": "done already", "b.nii.gz": "done"}
        assert (tmp_path / "out/a.nii.gz").stat().st_mtime_ns == before

    def test_all_is_done_again_if_asked(self, tmp_path, make_scan, target):
        make_scan(tmp_path / "in/b.nii.gz", seed=2)

        assert self.statuses(tmp_path, target, overwrite=True) == {"a.nii.gz": "done", "b.nii.gz": "done"}

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            pytest.param("in/a.nii.gz", "the source is another", id="source"),
            pytest.param("target.nii.gz", "the target is another", id="target"),
            pytest.param("out/a.nii.gz", "it was changed since", id="result"),
        ],
    )
    def test_a_result_of_other_files_is_neither_taken_for_done_nor_replaced_and_others_are_made(
        self, tmp_path, make_scan, target, changed, reason
    ):
        make_scan(tmp_path / "in/b.nii.gz", seed=2)
        make_scan(tmp_path / changed, seed=5)
        before = (tmp_path / "out/a.nii.gz").read_bytes()

        assert self.statuses(tmp_path, target) == {"a.nii.gz": "failed", "b.nii.gz": "done"}
        messages = {row["source"]: row["message"] for row in read_results(tmp_path / "out/harmonized.tsv")}
        assert f"out/a.nii.gz exists and is another result ({reason}). Choose" in messages["../in/a.nii.gz"]
        assert (tmp_path / "out/a.nii.gz").read_bytes() == before

    def test_a_result_of_other_settings_is_neither_taken_for_done_nor_replaced(self, tmp_path, target):
        weaker = HarmonizeSettings(strength=0.5)
        look = TargetFiles(target, is_style_card=False)

        outcomes, _ = harmonize_batch(tmp_path / "in", tmp_path / "out", None, look, weaker, overwrite=False)

        messages = {outcome.source.name: outcome.message for outcome in outcomes if outcome.failed}
        assert "exists and is another result (strength was 1.0, and is 0.5 now)" in messages["a.nii.gz"]

    def test_a_file_of_somebody_else_in_the_place_of_a_result_stays(self, tmp_path, make_scan, target):
        make_scan(tmp_path / "in/b.nii.gz", seed=2)
        (tmp_path / "out/b.json").write_text("mine")

        assert self.statuses(tmp_path, target) == {"a.nii.gz": "done already", "b.nii.gz": "failed"}
        assert (tmp_path / "out/b.json").read_text() == "mine"


class TestChecks:
    @pytest.fixture
    def message(self, tmp_path):
        return lambda: read_results(tmp_path / "out/harmonized.tsv")[0]["message"]

    def test_those_that_are_not_ok_are_listed_and_a_rerun_keeps_them(self, tmp_path, make_scan, message):
        make_scan(tmp_path / "in/a.nii.gz", gain=CHECK)
        target = make_scan(tmp_path / "target.nii.gz", gain=CHECK, seed=9)
        expected = r"A warning\.; check brightness: \d+, .* bright; target: check brightness: \d+, .* bright"

        run(tmp_path / "in", tmp_path / "out", target)
        first = message()
        outcomes, _ = run(tmp_path / "in", tmp_path / "out", target)

        assert re.fullmatch(expected, first)
        assert (outcomes[0].status, message()) == ("done already", first)

    def test_a_result_that_was_forced_is_done_for_those_who_force_alone(self, tmp_path, make_scan, message):
        make_scan(tmp_path / "in/a.nii.gz", gain=FAIL)
        target = make_scan(tmp_path / "target.nii.gz", seed=9)
        forced, _ = run(tmp_path / "in", tmp_path / "out", target, force=True)
        result = (tmp_path / "out/a.nii.gz").read_bytes()

        refused, _ = run(tmp_path / "in", tmp_path / "out", target)
        assert "a.nii.gz fails 1 of 1 checks: brightness is" in message()
        again, _ = run(tmp_path / "in", tmp_path / "out", target, force=True)

        assert [outcomes[0].status for outcomes in (forced, refused, again)] == ["done", "failed", "done already"]
        assert (tmp_path / "out/a.nii.gz").read_bytes() == result
        assert "fail brightness" in message()

    def test_a_result_that_fails_is_not_written_unless_forced(self, tmp_path, make_scan, message, tree):
        make_scan(tmp_path / "in/a.nii.gz", gain=-1.0)
        target = make_scan(tmp_path / "target.nii.gz", seed=9)

        refused, _ = run(tmp_path / "in", tmp_path / "out", target)
        assert refused[0].status == "failed"
        assert tree(tmp_path / "out") == ["harmonized.tsv"]
        assert f"the result of {tmp_path / 'in/a.nii.gz'} fails 1 of 1 checks: lowest value is -" in message()

        forced, _ = run(tmp_path / "in", tmp_path / "out", target, force=True)
        assert forced[0].status == "done"
        assert "result: fail lowest value: -" in message()
        told = json.loads((tmp_path / "out/a.json").read_text(encoding="utf-8"))["Checks"]["Result"]
        assert [(check["name"], check["verdict"]) for check in told] == [("lowest value", "fail")]

        again, _ = run(tmp_path / "in", tmp_path / "out", target, force=True)
        refused, _ = run(tmp_path / "in", tmp_path / "out", target)
        assert [outcomes[0].status for outcomes in (again, refused)] == ["done already", "failed"]

    def test_a_result_of_a_version_that_did_not_check_it_is_taken_for_done_and_that_is_said(
        self, tmp_path, make_scan, message
    ):
        make_scan(tmp_path / "in/a.nii.gz")
        target = make_scan(tmp_path / "target.nii.gz", seed=9)
        run(tmp_path / "in", tmp_path / "out", target)
        sidecar = tmp_path / "out/a.json"
        told = json.loads(sidecar.read_text(encoding="utf-8"))
        del told["Checks"]["Result"]
        sidecar.write_text(json.dumps(told), encoding="utf-8")

        outcomes, _ = run(tmp_path / "in", tmp_path / "out", target)

        assert outcomes[0].status == "done already"
        assert "made by a version that did not check results" in message()

    def test_a_target_that_was_forced_needs_to_be_forced_again(self, tmp_path, make_scan):
        make_scan(tmp_path / "in/a.nii.gz")
        target = make_scan(tmp_path / "target.nii.gz", gain=FAIL)
        run(tmp_path / "in", tmp_path / "out", target, force=True)

        with pytest.raises(InputError, match=r"target\.nii\.gz fails"):
            run(tmp_path / "in", tmp_path / "out", target)

    @pytest.mark.parametrize(
        "checks",
        [
            pytest.param(None, id="none"),
            pytest.param({"Source": []}, id="none of the target"),
            pytest.param({"Source": [{"name": "brightness"}], "Target": []}, id="no verdict"),
            pytest.param({"Source": ["ok"], "Target": []}, id="no entries"),
            pytest.param({"Source": 1, "Target": []}, id="no list"),
            pytest.param({"Source": [], "Target": [], "Result": None}, id="no list of the result"),
        ],
    )
    def test_a_result_whose_sidecar_tells_no_checks_is_not_taken_for_done(self, tmp_path, make_scan, checks):
        make_scan(tmp_path / "in/a.nii.gz")
        target = make_scan(tmp_path / "target.nii.gz", seed=9)
        run(tmp_path / "in", tmp_path / "out", target)
        sidecar = tmp_path / "out/a.json"
        sidecar.write_text(json.dumps(json.loads(sidecar.read_text(encoding="utf-8")) | {"Checks": checks}))

        outcomes, _ = run(tmp_path / "in", tmp_path / "out", target)

        assert outcomes[0].failed
        assert "a.nii.gz exists" in outcomes[0].message


class TestLesionMasks:
    @pytest.fixture
    def table(self, tmp_path, make_scan):
        """Two scans in a table, one of them with a lesion; the masks lie beside."""
        for name in ("a", "b"):
            scan = make_scan(tmp_path / f"in/{name}.nii.gz")
        image = nib.load(scan)
        for name, column in (("lesion", 10), ("other", 12)):
            mask = np.zeros(image.shape, np.uint8)
            mask[column, 10:14, 8:12] = 1
            nib.save(nib.Nifti1Image(mask, image.affine), tmp_path / f"in/{name}.nii.gz")
        table = tmp_path / "in/scans.tsv"
        table.write_text("source\toutput\tlesion_mask\na.nii.gz\ta.nii.gz\tlesion.nii.gz\nb.nii.gz\tb.nii.gz\tn/a\n")
        return table

    def test_the_sidecar_tells_the_mask_and_its_hash(self, tmp_path, make_scan, table):
        run(table, tmp_path / "out", make_scan(tmp_path / "target.nii.gz", seed=9))

        told = [json.loads((tmp_path / f"out/{name}.json").read_text(encoding="utf-8")) for name in ("a", "b")]
        assert told[0]["LesionMask"] == "../in/lesion.nii.gz"
        assert told[0]["Sha256"]["LesionMask"] == file_sha256(tmp_path / "in/lesion.nii.gz")
        assert "LesionMask" not in told[1]

    def test_a_result_with_another_mask_is_not_taken_for_done(self, tmp_path, make_scan, table):
        target = make_scan(tmp_path / "target.nii.gz", seed=9)
        run(table, tmp_path / "out", target)
        assert {outcome.status for outcome in run(table, tmp_path / "out", target)[0]} == {"done already"}

        table.write_text(table.read_text().replace("lesion.nii", "other.nii"))
        outcomes, _ = run(table, tmp_path / "out", target)

        assert {outcome.source.name: outcome.status for outcome in outcomes} == {
            "a.nii.gz": "failed",
            "b.nii.gz": "done already",
        }
        assert any("another lesion mask" in outcome.message for outcome in outcomes)

    def test_a_mask_that_cannot_be_fails_its_own_scan_alone(self, tmp_path, make_scan, table):
        nib.save(nib.Nifti1Image(np.ones((5, 5, 5), np.uint8), np.eye(4)), tmp_path / "in/lesion.nii.gz")

        outcomes, _ = run(table, tmp_path / "out", make_scan(tmp_path / "target.nii.gz", seed=9))

        assert [outcome.status for outcome in outcomes] == ["failed", "done"]
        assert "lesion.nii.gz" in outcomes[0].message


def test_two_folders_may_go_into_one_and_both_are_listed(tmp_path, make_scan):
    target = make_scan(tmp_path / "target.nii.gz", seed=9)
    make_scan(tmp_path / "one/a.nii.gz", seed=1)
    make_scan(tmp_path / "two/b.nii.gz", seed=2)
    run(tmp_path / "one", tmp_path / "out", target)

    _, table_path = run(tmp_path / "two", tmp_path / "out", target)

    assert [row["output"] for row in read_results(table_path)] == ["a.nii.gz", "b.nii.gz"]


def test_two_scans_of_a_folder_with_one_result_fail_and_the_others_are_done(tmp_path, make_scan):
    target = make_scan(tmp_path / "target.nii.gz", seed=9)
    for name in ("a.nii", "a.nii.gz", "b.nii.gz"):
        make_scan(tmp_path / "in" / name)

    for overwrite, status in ((False, "done"), (True, "done"), (False, "done already")):
        outcomes, table_path = run(tmp_path / "in", tmp_path / "out", target, overwrite=overwrite)

        assert {o.source.name: o.status for o in outcomes} == {
            "a.nii": "failed",
            "a.nii.gz": "failed",
            "b.nii.gz": status,
        }
        messages = {row["source"]: row["message"] for row in read_results(table_path)}
        assert len(messages) == 3
        assert "the result would be" in messages["../in/a.nii"]


def test_what_is_skipped_is_listed_with_the_reason(tmp_path, make_scan):
    target = make_scan(tmp_path / "target.nii.gz", seed=9)
    make_scan(tmp_path / "in/a.nii.gz", seed=1)
    make_scan(tmp_path / "in/a_mask.nii.gz", seed=1)

    _, table_path = run(tmp_path / "in", tmp_path / "out", target)

    row = {row["source"]: row for row in read_results(table_path)}["../in/a_mask.nii.gz"]
    assert (row["status"], row["output"], row["message"]) == ("skipped", "n/a", "its name ends in mask")
