"""A tiny reproduction: what is written, that a second run makes nothing again, and what is refused."""

import csv
import json
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hail_mri.apps.cli import main
from hail_mri.apps.reproduction import cohort, results
from hail_mri.apps.reproduction.report import Findings, report_text
from hail_mri.apps.reproduction.reproduce import reproduce
from hail_mri.apps.reproduction.study import Method, Study
from hail_mri.errors import OutputExistsError
from hail_mri.image.nifti import load_volume

STUDY = Study(
    1,
    4.0,
    (Method("HAIL", "no such weights", "network"), Method("min-max"), Method("rescan (floor)")),
    directions=("A to B", "A to C"),
)
N_SCANS, N_RESULTS = 3, 4  # A, and the targets at B and C; two methods in two directions


@contextmanager
def silent(_what, _n_steps):
    yield lambda: None


def run(output, study=STUDY, *, overwrite=False):
    return reproduce(study, output, n_processes=1, overwrite=overwrite, progress=silent)


def written(folder):
    """Return when each scan, result and kept score was written."""
    parts = ("cohort", "results", "scores/kept")
    files = [path for part in parts for path in (folder / part).rglob("*") if path.suffix in (".gz", ".json")]
    return {path: path.stat().st_mtime_ns for path in files if path.name != "method.json"}


def thirds(volume, brain_mask):
    """Call the darkest third of the brain 1, the brightest 3: stands in for Atropos, which is not always there."""
    labels = 1 + np.digitize(volume.data, np.quantile(volume.data[brain_mask], (1 / 3, 2 / 3)))
    return np.where(brain_mask, labels, 0).astype(np.uint8)


@pytest.fixture(scope="module")
def segmented():
    """Return the scans that were given to Atropos, in a list that grows."""
    return []


@pytest.fixture(scope="module")
def output(mni, segmented, tmp_path_factory):
    """Folder of a reproduction."""

    def segment(volume, brain_mask):
        segmented.append(volume)
        return thirds(volume, brain_mask)

    folder = tmp_path_factory.mktemp("reproduction") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cohort, "mni_label_map", lambda _spacing: mni)  # the same one, built once
        patch.setattr(results, "segment_by_atropos", segment)
        run(folder)
        yield folder


def test_everything_is_kept(output):
    run_once = {"cohort", "results", "pairs.tsv", "scores", "tables.md", "reproduce.json"}
    assert run_once <= {path.name for path in output.iterdir()}
    assert len(list((output / "cohort").glob("sub-01_site-A_*"))) == 9
    with (output / "pairs.tsv").open() as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    assert [(line["method"], line["site"], line["target_site"]) for line in lines] == [
        (method, "A", to) for method in ("min-max", "rescan (floor)") for to in ("B", "C")
    ]


def test_a_model_that_is_not_there_is_said_to_be_missing_and_the_others_go_on(output):
    text = (output / "tables.md").read_text()
    assert "- **HAIL**: not released." in text
    assert "| HAIL | n/a |" in text
    assert json.loads((output / "reproduce.json").read_text())["Methods"]["HAIL"] == "not released"


def test_every_scan_and_every_result_is_segmented_once(output, segmented):
    assert len(segmented) == N_SCANS + N_RESULTS
    run(output)
    assert len(segmented) == N_SCANS + N_RESULTS


def test_volumes_of_tissues_are_scored(output):
    scores = pd.read_csv(output / "scores/scores.tsv", sep="\t")
    volumes = scores[(scores["metric"] == "rAVD") & (scores["region"] == "grey matter")]
    assert volumes["value"].notna().sum() == N_RESULTS
    floors = scores[(scores["metric"] == "rAVD floor") & (scores["region"] == "grey matter")]
    assert (floors["value"] > 0).sum() == N_RESULTS  # thirds of intensity are no tissues


def test_a_table_without_tissues_says_why():
    text = report_text(Findings(replace(STUDY, segmentation="none"), []))
    assert "No tissues: ANTs is not installed" in text


def test_the_truth_is_in_the_unit_of_the_target(output):
    white = load_volume(output / "cohort/sub-01_site-A_white.nii.gz").data > 0
    target_white = load_volume(output / "cohort/target_site-B_white.nii.gz").data > 0
    truth = load_volume(output / "cohort/sub-01_site-A_truth-B.nii.gz").data[white].mean()
    target = load_volume(output / "cohort/target_site-B_scan.nii.gz").data[target_white].mean()
    assert truth == pytest.approx(target, rel=1e-3)


def test_a_second_run_makes_nothing_again(output):
    before = written(output)
    run(output)
    assert written(output) == before
    assert len(json.loads((output / "reproduce.json").read_text())["SecondsOfRuns"]) >= 2


def test_a_run_that_was_stopped_goes_on(output):
    gone = output / "results/min-max/sub-01_A-to-B.nii.gz"
    before, data = written(output), load_volume(gone).data
    gone.unlink()

    run(output)

    again = written(output)
    assert {path for path in before if again[path] != before[path]} == {gone}
    assert (load_volume(gone).data == data).all()


def test_a_method_that_comes_later_is_added(output):
    before = written(output)
    study = replace(STUDY, methods=(*STUDY.methods, Method("z-score")))

    found = run(output, study)

    assert {line.row.method for line in found.scored} == {"min-max", "rescan (floor)", "z-score"}
    assert before.items() <= written(output).items()


def test_another_study_is_not_mixed_in(output):
    with pytest.raises(OutputExistsError, match="other settings"):
        run(output, replace(STUDY, seed=1))


def test_a_folder_of_something_else_is_left_alone_even_with_overwrite(tmp_path):
    (tmp_path / "cohort").mkdir()
    (tmp_path / "cohort" / "mine.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="no reproduction"):
        run(tmp_path, overwrite=True)
    assert (tmp_path / "cohort" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "--output", id="no folder"),
        pytest.param(["-o", "x", "--preset", "tiny"], "--preset", id="unknown preset"),
        pytest.param(["-o", "x", "--model", "no-such-model"], "no model", id="unknown model"),
        pytest.param(["-o", "x", "--model", "compact", "--model", "compact"], "two methods called compact", id="twice"),
    ],
)
def test_a_wrong_request_is_said_in_a_line_and_writes_nothing(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
