import shutil

import pytest

from hail_mri.apps.batch import harmonize_batch
from hail_mri.apps.cli import main
from hail_mri.apps.leaks import leaks
from hail_mri.apps.request_columns import read_columns, split_scans
from hail_mri.apps.requests import read_table
from hail_mri.apps.result_table import read_results
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.errors import InputError
from hail_mri.harmonize.settings import HarmonizeSettings

HEADER = "source\toutput\tsubject\tsession\tsite\ttarget\tsplit\n"


@pytest.fixture
def write_table(tmp_path):
    def write(*rows: str):
        path = tmp_path / "scans.tsv"
        path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return path

    return write


def test_names_targets_and_splits_are_read_and_need_not_be_told(write_table, tmp_path):
    table = write_table(
        "a.nii\ta.nii.gz\t01\tpre\tParis\tcards/paris.json\tTest", "b.nii\tb.nii.gz\tn/a\t\t\tt.nii\tn/a"
    )

    first, second = read_columns(table)

    assert first.names == {"subject": "01", "session": "pre", "site": "Paris"}
    assert (first.target, first.target_is_style_card, first.is_test) == (tmp_path / "cards/paris.json", True, True)
    assert second.names == {}
    assert (second.target, second.target_is_style_card, second.is_test) == (tmp_path / "t.nii", False, False)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("a.nii.gz", ["a.nii.gz"], id="a test scan itself"),
        pytest.param("copy.nii.gz", ["a.nii.gz"], id="a copy of it"),
        pytest.param("link.nii.gz", ["a.nii.gz"], id="a link to it"),
        pytest.param("a-earlier.nii.gz", ["a.nii.gz"], id="another scan of its subject"),
        pytest.param("b.nii.gz", [], id="a scan of another subject"),
        pytest.param("gone.nii.gz", [], id="a file that is missing"),
    ],
)
def test_a_target_gives_away_the_test_scans_of_its_subject(write_table, make_scan, tmp_path, target, expected):
    for seed, name in enumerate(("a", "a-earlier", "b")):
        make_scan(tmp_path / f"{name}.nii.gz", seed=seed)
    shutil.copy(tmp_path / "a.nii.gz", tmp_path / "copy.nii.gz")
    (tmp_path / "link.nii.gz").symlink_to("a.nii.gz")
    table = write_table(
        "a.nii.gz\to/a.nii.gz\t01\tpost\tn/a\tn/a\ttest",
        "a-earlier.nii.gz\to/e.nii.gz\t01\tpre\tn/a\tn/a\ttrain",
        "b.nii.gz\to/b.nii.gz\t02\tpre\tn/a\tn/a\ttrain",
    )

    found = leaks(split_scans(read_table(table), read_columns(table)), tmp_path / target)

    assert [path.name for path in found] == expected


@pytest.mark.usefixtures("no_network")
class TestBatch:
    def run(self, table, target, output):
        files = None if target is None else TargetFiles(target, is_style_card=False)
        return harmonize_batch(table, output, None, files, HarmonizeSettings(), overwrite=False)

    def test_a_target_of_a_row_goes_before_that_of_all_and_names_are_listed(self, write_table, make_scan, tmp_path):
        for seed, name in enumerate(("a", "b", "paris", "rome")):
            make_scan(tmp_path / f"{name}.nii.gz", seed=seed)
        table = write_table("a.nii.gz\ta.nii.gz\t01\tpre\tParis\tparis.nii.gz\t", "b.nii.gz\tb.nii.gz\t02\t\tRome\t\t")

        _, table_path = self.run(table, tmp_path / "rome.nii.gz", tmp_path / "out")

        rows = read_results(table_path)
        assert [row["target"] for row in rows] == ["../paris.nii.gz", "../rome.nii.gz"]
        assert [(row["subject"], row["session"], row["site"]) for row in rows] == [
            ("01", "pre", "Paris"),
            ("02", "n/a", "Rome"),
        ]
        assert {row["verdict"] for row in rows} == {"ok"}
        assert all(len(row[f"{name}_sha256"]) == 64 for row in rows for name in ("source", "target", "result"))

    def test_a_target_that_fails_its_checks_fails_its_own_scans_alone(self, write_table, make_scan, tmp_path):
        for seed, name in enumerate(("a", "b", "rome")):
            make_scan(tmp_path / f"{name}.nii.gz", seed=seed)
        make_scan(tmp_path / "bright.nii.gz", gain=6.0)
        table = write_table("a.nii.gz\ta.nii.gz\t01\t\t\tbright.nii.gz\t", "b.nii.gz\tb.nii.gz\t02\t\t\t\t")

        outcomes, _ = self.run(table, tmp_path / "rome.nii.gz", tmp_path / "out")

        assert [outcome.status for outcome in outcomes] == ["failed", "done"]
        assert "bright.nii.gz fails 1 of 2 checks" in outcomes[0].message
        again, _ = self.run(table, tmp_path / "rome.nii.gz", tmp_path / "out")
        assert {outcome.status for outcome in again} == {"done already", "failed"}

    def test_a_target_of_a_row_that_is_missing_fails_its_own_scans_alone(self, write_table, make_scan, tmp_path):
        for seed, name in enumerate(("a", "b", "rome")):
            make_scan(tmp_path / f"{name}.nii.gz", seed=seed)
        table = write_table("a.nii.gz\ta.nii.gz\t01\t\t\tgone.nii.gz\t", "b.nii.gz\tb.nii.gz\t02\t\t\t\t")

        outcomes, table_path = self.run(table, tmp_path / "rome.nii.gz", tmp_path / "out")

        assert [outcome.status for outcome in outcomes] == ["failed", "done"]
        message = next(row["message"] for row in read_results(table_path) if row["status"] == "failed")
        assert message.startswith(f"{tmp_path / 'a.nii.gz'}: {tmp_path / 'gone.nii.gz'} does not exist")

    def test_a_scan_without_any_target_is_refused_before_the_first(self, write_table, make_scan, tmp_path):
        make_scan(tmp_path / "a.nii.gz")
        table = write_table("a.nii.gz\ta.nii.gz\t01\t\t\t\t")

        with pytest.raises(InputError, match=r"scans\.tsv, row 2: there is no target"):
            self.run(table, None, tmp_path / "out")

    @pytest.mark.parametrize("option", ["--target-mask", "--target-lesion-mask"])
    @pytest.mark.parametrize("look", [[], ["--target", "rome.nii.gz"]], ids=["no target of all", "one that none has"])
    def test_a_mask_of_a_target_that_no_scan_has_is_refused(
        self, write_table, make_scan, tmp_path, monkeypatch, capsys, option, look
    ):
        monkeypatch.chdir(tmp_path)
        make_scan(tmp_path / "a.nii.gz")
        make_scan(tmp_path / "paris.nii.gz")
        table = write_table("a.nii.gz\ta.nii.gz\t01\t\t\tparis.nii.gz\t")

        assert main(["harmonize", str(table), "-o", "out", *look, option, "m.nii"]) == 2

        assert "m.nii is given as a mask of the target, but no scan of" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()

    def test_a_target_among_the_test_subjects_is_warned_of(self, write_table, make_scan, tmp_path, capsys):
        for seed, name in enumerate(("a", "b")):
            make_scan(tmp_path / f"{name}.nii.gz", seed=seed)
        table = write_table("a.nii.gz\ta.nii.gz\t01\t\t\t\ttest", "b.nii.gz\tb.nii.gz\t02\t\t\t\ttrain")

        self.run(table, tmp_path / "a.nii.gz", tmp_path / "out")
        warned = capsys.readouterr().err
        self.run(table, tmp_path / "b.nii.gz", tmp_path / "other")

        assert "hail-mri: warning: the target" in warned
        assert "a.nii.gz is among the test subjects" in warned
        assert capsys.readouterr().err == ""
