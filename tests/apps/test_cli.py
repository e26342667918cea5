import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hail_mri
from hail_mri.apps import cli
from hail_mri.apps.cli import main
from hail_mri.errors import InputError

HEAVY = ("torch", "monai", "lightning", "nibabel", "numpy", "rich.progress")
VERBS = ("harmonize", "style", "segment", "preprocess", "evaluate", "reproduce", "simulate", "train", "export", "info")


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what is on stderr, which has to be one line."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_help_answers_within_a_second_and_imports_nothing_heavy():
    code = (
        "import sys; from hail_mri.apps.cli import main; status = main(['--help']);"
        f"heavy = [name for name in {HEAVY} if name in sys.modules]; print(heavy, file=sys.stderr); sys.exit(status)"
    )
    # The package under test, installed or not.
    environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    seconds = time.perf_counter() - start

    assert done.stderr.strip() == "[]"
    assert all(verb in done.stdout for verb in VERBS)
    # A second on an idle machine (measured: 0.2 s); tests share theirs.
    assert seconds < 3.0


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"hail-mri {hail_mri.__version__}\n"


def test_without_arguments_help_is_shown(capsys):
    assert main([]) == 0
    assert "harmonize" in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    assert main([verb, "--help"]) == 0
    assert f"Usage: hail-mri {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["harmonise"], "harmonise", id="unknown verb"),
        pytest.param(["harmonize", "-o", "x.nii"], "SOURCE", id="no source"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii"], "neither --target nor --style", id="no look"),
        pytest.param(
            ["harmonize", "a.nii", "-o", "x.nii", "--target", "t.nii", "--style", "s.json"], "both", id="two looks"
        ),
        pytest.param(["harmonize", "a.nii", "--target", "t.nii"], "-o is missing", id="no output"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii", "--targt", "t.nii"], "--target", id="misspelled option"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii", "--device", "tpu"], "--device", id="unknown device"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii", "--output-mode", "x"], "--output-mode", id="unknown mode"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii", "--strength", "1.5"], "strength is 1.5", id="strength"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii", "--strength", "nan"], "strength is nan", id="strength NaN"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii", "--threads", "0"], "threads is 0", id="no threads"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii", "--seed", "x"], "--seed", id="seed is no number"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii", "--seed", "9" * 23], "to 18446744073709551615", id="seed"),
        pytest.param(["harmonize", "a.nii", "-o", "x.nii", "--threads", "9" * 23], "1 to 1024", id="many threads"),
        pytest.param(["style", "-o", "x.json"], "TARGET", id="style without scans"),
        pytest.param(["simulate", "-o", "x", "--sites", "A"], "--subjects", id="no subjects"),
        pytest.param(
            ["simulate", "-o", "x", "--subjects", "1", "--sites", "A", "--spacing", "0"], "spacing", id="spacing 0"
        ),
        pytest.param(["train", "decoder", "--config", "c", "-o", "x"], "encoder", id="unknown phase"),
        pytest.param(["train", "encoder", "-o", "x", "--label-maps", "a"], "--config", id="no settings"),
        pytest.param(["train", "encoder", "-o", "x", "--config", "c"], "--label-maps", id="no label maps"),
        pytest.param(["train", "liu", "-o", "x", "--config", "c"], "--label-maps", id="no label maps for Liu et al."),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert main(arguments) == 2

    line = error_line(capsys)
    assert line.startswith("hail-mri: error: ")
    assert said in line
    assert not list(tmp_path.iterdir())


def test_message_and_hint_are_one_line(monkeypatch, capsys):
    def fail(**_: object) -> None:
        raise InputError("a.nii is\nodd.", hint="look at it")

    monkeypatch.setattr(cli, "app", fail)

    assert main(["info"]) == 2
    assert error_line(capsys) == "hail-mri: error: a.nii is odd. Look at it."


def test_a_bug_of_ours_is_a_traceback(monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hail_mri.apps.info.collect_info", fail)

    with pytest.raises(ZeroDivisionError):
        main(["info"])


def test_an_interruption_is_one_line_and_exit_130(monkeypatch, capsys):
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hail_mri.apps.info.collect_info", interrupt)

    assert main(["info"]) == 130
    assert "nterrupted" in error_line(capsys)


def test_info_is_json_if_asked(capsys):
    assert main(["info", "--json"]) == 0

    info = json.loads(capsys.readouterr().out)
    assert info["versions"]["hail-mri"] == hail_mri.__version__
    assert all(len(sha256) == 64 for sha256 in info["weights"].values())
    assert info["devices"][0].startswith("cpu")


@pytest.mark.usefixtures("no_network")
class TestWithoutNetwork:
    def test_one_scan_gives_a_result_and_its_sidecar_and_says_what_to_know(self, tmp_path, make_scan, capsys, tree):
        source, target = make_scan(tmp_path / "in/a.nii.gz"), make_scan(tmp_path / "in/t.nii.gz", seed=1)
        result = tmp_path / "new/folder/a.nii.gz"

        assert main(["harmonize", str(source), "--target", str(target), "-o", str(result)]) == 0

        assert tree(tmp_path / "new/folder") == ["a.json", "a.nii.gz"]
        assert "hail-mri: warning: A warning." in capsys.readouterr().err.splitlines()

    def test_a_scan_that_was_harmonized_before_is_worth_a_look(self, tmp_path, make_scan, capsys):
        source, target = make_scan(tmp_path / "a.nii.gz"), make_scan(tmp_path / "t.nii.gz", seed=1)
        first, second = tmp_path / "first.nii.gz", tmp_path / "second.nii.gz"

        main(["harmonize", str(source), "--target", str(target), "-o", str(first)])
        once = capsys.readouterr().err
        main(["harmonize", str(first), "--target", str(target), "-o", str(second)])

        assert "ok harmonized before" in once
        assert "check harmonized before: yes, to 't.nii.gz', expected no" in capsys.readouterr().err

    def test_choices_are_written_in_the_sidecar(self, tmp_path, make_scan):
        source, target = make_scan(tmp_path / "a.nii.gz"), make_scan(tmp_path / "t.nii.gz", seed=1)
        choices = ["--strength", "0.5", "--output-mode", "network", "--seed", "3", "--threads", "1", "--device", "cpu"]
        choices += ["--preset", "robust", "--remove-bias"]

        main(["harmonize", str(source), "--target", str(target), "-o", str(tmp_path / "x.nii"), *choices])

        settings = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["Settings"]
        assert settings == {
            "model": "compact",
            "output_mode": "network",
            "strength": 0.5,
            "device": "cpu",
            "threads": 1,
            "seed": 3,
            "force": False,
            "preset": "robust",
            "keep_bias": False,
        }

    def test_a_batch_with_a_failure_ends_with_70_and_lists_it(self, tmp_path, make_scan, capsys):
        target = make_scan(tmp_path / "t.nii.gz", seed=1)
        make_scan(tmp_path / "in/a.nii.gz")
        (tmp_path / "in/b.nii.gz").touch()

        status = main(
            ["harmonize", str(tmp_path / "in"), "--workers", "0", "--target", str(target), "-o", str(tmp_path / "out")]
        )

        printed = capsys.readouterr()
        assert status == 70
        assert printed.out.startswith("1 of 2 scans harmonized")
        assert [line.split(": ")[1] for line in printed.err.splitlines()] == ["failed"]
        assert "b.nii.gz is empty" in printed.err

    def test_a_batch_says_which_checks_of_target_and_sources_are_not_ok_and_a_rerun_says_it_too(
        self, tmp_path, make_scan, capsys
    ):
        target = make_scan(tmp_path / "t.nii.gz", seed=1, gain=3.0)
        source = make_scan(tmp_path / "in/sub-01/a.nii.gz", gain=3.0)
        make_scan(tmp_path / "in/sub-02/a.nii.gz")
        arguments = [
            "harmonize",
            str(tmp_path / "in"),
            "--workers",
            "0",
            "--target",
            str(target),
            "-o",
            str(tmp_path / "out"),
        ]

        for _ in ("first", "again"):
            assert main(arguments) == 0
            lines = capsys.readouterr().err.splitlines()
            assert [line.partition(", expected")[0].rpartition(":")[0] for line in lines] == [
                f"hail-mri: {path}: check brightness" for path in (target, source)
            ]

    def test_a_forced_batch_that_is_run_again_without_force_fails(self, tmp_path, make_scan, capsys):
        target = make_scan(tmp_path / "t.nii.gz", seed=1)
        make_scan(tmp_path / "in/a.nii.gz", gain=6.0)
        arguments = [
            "harmonize",
            str(tmp_path / "in"),
            "--workers",
            "0",
            "--target",
            str(target),
            "-o",
            str(tmp_path / "out"),
        ]

        assert main([*arguments, "--force"]) == 0
        assert "a.nii.gz: fail brightness" in error_line(capsys)
        assert main(arguments) == 70
        assert "a.nii.gz fails 1 of 1 checks: brightness is" in error_line(capsys)

    def test_a_table_names_sources_and_results(self, tmp_path, make_scan, tree):
        target = make_scan(tmp_path / "t.nii.gz", seed=1)
        make_scan(tmp_path / "in/a.nii.gz")
        table = tmp_path / "in/scans.tsv"
        table.write_text("source\toutput\na.nii.gz\tsub-01.nii.gz\n", encoding="utf-8")

        status = main(["harmonize", str(table), "--workers", "0", "--target", str(target), "-o", str(tmp_path / "out")])

        assert status == 0
        assert tree(tmp_path / "out") == ["harmonized.tsv", "sub-01.json", "sub-01.nii.gz"]

    def test_overwriting_needs_to_be_asked_for(self, tmp_path, make_scan, capsys):
        source, target = make_scan(tmp_path / "a.nii.gz"), make_scan(tmp_path / "t.nii.gz", seed=1)
        arguments = ["harmonize", str(source), "--target", str(target), "-o", str(tmp_path / "x.nii.gz")]
        (tmp_path / "x.nii.gz").write_text("precious")

        assert main(arguments) == 2
        assert "--overwrite" in error_line(capsys)
        assert (tmp_path / "x.nii.gz").read_text() == "precious"
        assert main([*arguments, "--overwrite"]) == 0
        assert Path(tmp_path / "x.nii.gz").stat().st_size > 100


def test_a_segmentation_is_labels_a_table_and_a_sidecar_and_what_is_asked_for(tmp_path, make_scan, capsys, tree):
    scan = make_scan(tmp_path / "in/a.nii.gz")
    arguments = ["segment", str(scan), "-o", str(tmp_path / "out/l.nii.gz"), "--threads", "1"]

    assert main(arguments) == 2
    assert "fails" in error_line(capsys)
    assert not (tmp_path / "out").exists()
    arguments.append("--force")
    assert main([*arguments, "--save-brain-mask", str(tmp_path / "out/m.nii.gz")]) == 0
    assert tree(tmp_path / "out") == ["l.json", "l.nii.gz", "l.tsv", "m.nii.gz"]
    assert "fail grey matter / white matter" in capsys.readouterr().err
    assert main(arguments) == 2
    assert "--overwrite" in error_line(capsys)


def test_a_segmentation_never_replaces_the_scan_it_is_made_of(tmp_path, make_scan, capsys):
    scan = make_scan(tmp_path / "a.nii.gz")

    assert main(["segment", str(scan), "-o", str(scan), "--overwrite"]) == 2
    assert "is an input" in error_line(capsys)


def test_a_segmentation_never_replaces_the_sidecar_of_the_scan(tmp_path, make_scan, capsys):
    scan = make_scan(tmp_path / "a.nii.gz")
    (tmp_path / "a.json").write_text('{"RepetitionTime": 2.3}')

    assert main(["segment", str(scan), "-o", str(tmp_path / "a.nii"), "--overwrite"]) == 2
    assert "is an input" in error_line(capsys)
    assert (tmp_path / "a.json").read_text() == '{"RepetitionTime": 2.3}'


@pytest.mark.usefixtures("no_network")
def test_harmonizing_never_replaces_the_sidecar_of_a_scan(tmp_path, make_scan, capsys):
    scan = make_scan(tmp_path / "a.nii.gz")
    (tmp_path / "a.json").write_text('{"RepetitionTime": 2.3}')

    assert main(["harmonize", str(scan), "--target", str(scan), "-o", str(tmp_path / "a.nii"), "--overwrite"]) == 2
    assert "is an input" in error_line(capsys)


def test_a_style_card_never_replaces_the_scan_it_is_made_of(tmp_path, make_scan, capsys):
    pytest.importorskip("hail_mri.harmonize.style_card")
    scan = make_scan(tmp_path / "a.nii.gz")
    content = scan.read_bytes()

    assert main(["style", str(scan), "-o", str(scan), "--overwrite"]) == 2

    assert "is an input" in error_line(capsys)
    assert scan.read_bytes() == content


def test_a_cohort_is_not_written_into_a_folder_in_use(tmp_path, capsys):
    pytest.importorskip("hail_mri.simulation.cohorts")
    (tmp_path / "precious").touch()

    assert main(["simulate", "-o", str(tmp_path), "--subjects", "1", "--sites", "A"]) == 2

    assert "is not empty" in error_line(capsys)


def test_training_without_lightning_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "lightning", None)
    monkeypatch.delitem(sys.modules, "hail_mri.training.phases.paper_run", raising=False)

    assert main(["train", "encoder", "--config", "c.toml", "--label-maps", "a", "-o", "run"]) == 2

    assert "hail-mri[train]" in error_line(capsys)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--devices", "2", "one process"), ("--nodes", "2", "one process")],
)
def test_what_the_networks_of_liu_cannot_do_is_refused(option, value, said, tmp_path, capsys):
    config = Path(__file__).parents[2] / "configs" / "liu-small.toml"
    run = ["train", "liu", "--config", str(config), "--label-maps", str(tmp_path), "-o", str(tmp_path / "run")]

    assert main([*run, option, value]) == 2

    assert said in error_line(capsys)


def test_minutes_that_are_no_time_are_refused(tmp_path, capsys):
    options = ["--config", "none.toml", "-o", str(tmp_path / "run"), "--label-maps", str(tmp_path), "--minutes", "nan"]
    assert main(["train", "encoder", *options]) == 2
    assert "--minutes" in error_line(capsys)


def test_a_run_is_not_written_into_a_file(tmp_path, capsys):
    (tmp_path / "run").touch()
    assert main(["train", "tissues", "--config", "c", "-o", str(tmp_path / "run"), "--label-maps", "a"]) == 2
    assert "is not a folder" in error_line(capsys)
