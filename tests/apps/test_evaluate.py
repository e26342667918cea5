import csv
import json

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from hail_mri.apps.cli import main
from hail_mri.apps.evaluate import evaluate_pairs
from hail_mri.baselines.histogram import match_histogram_simpleitk
from hail_mri.errors import OutputExistsError
from hail_mri.evaluation.pair_measures import MeasureSettings
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.tissues import classes_of_tissues
from hail_mri.simulation.travelling import rescan_at

GIVEN = MeasureSettings(segmentation="given")
LABELS = {"grey_matter": 2, "white_matter": 3, "csf": 1}


@pytest.fixture(scope="module")
def study(visit, slab, simulated_slab, tmp_path_factory):
    """Folder with a scan, a target, a truth, masks, labels, and what SimpleITK and nobody made of the scan."""
    folder = tmp_path_factory.mktemp("study")
    target = simulated_slab.with_data(rescan_at(visit, SITES["C"]).data[slab])
    classes = classes_of_tissues()[visit.head.tissue_labels.long()].numpy()[slab]
    labels = np.zeros(classes.shape, np.float32)
    for tissue, label in LABELS.items():
        labels[classes == TISSUE_CLASSES.index(tissue)] = label
    files = {
        "source": simulated_slab,
        "target": target,
        "truth": target,
        "simpleitk": match_histogram_simpleitk(simulated_slab, target),
        "nothing": simulated_slab,
        "labels": simulated_slab.with_data(labels),
        "brain": simulated_slab.with_data(visit.head.brain.numpy()[slab].astype(np.float32)),
    }
    for name, volume in files.items():
        save_volume(volume, folder / f"{name}.nii.gz")
    return folder


def line(method, **changes):
    cells = {name: f"{name}.nii.gz" for name in ("source", "target", "truth", "labels")}
    cells |= {f"{name}_labels": "labels.nii.gz" for name in ("target", "harmonized")}
    cells |= {f"{name}brain_mask": "brain.nii.gz" for name in ("", "target_")}
    return (
        cells
        | {"harmonized": f"{method}.nii.gz", "method": method, "subject": "01", "site": "B", "target_site": "C"}
        | changes
    )


def write_table(path, lines):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(lines)
    return path


def evaluate(table, output, settings=GIVEN, *, n_processes=1, overwrite=False, save_maps=False):
    return evaluate_pairs(
        table,
        output,
        settings,
        n_processes=n_processes,
        overwrite=overwrite,
        step=lambda: None,
        save_maps=save_maps,
    )


@pytest.fixture(scope="module")
def evaluated(study):
    table = write_table(
        study / "pairs.tsv",
        [line("nothing"), line("simpleitk"), line("gone"), line("target", harmonized="brain.nii.gz")],
    )
    return table, study / "out", evaluate(table, study / "out")


def number(scores, method, metric, region):
    row = scores[(scores.method == method) & (scores.metric == metric) & (scores.region == region)]
    return float(row.value.iloc[0])


def test_a_peers_result_is_scored_from_its_files_alone(evaluated):
    _, output, _ = evaluated
    scores = pd.read_csv(output / "scores.tsv", sep="\t", na_values="n/a", keep_default_na=False)
    assert number(scores, "nothing", "monotonicity", "head") == pytest.approx(1, abs=1e-4)
    assert number(scores, "nothing", "rAVD", "grey matter") == 0
    assert number(scores, "nothing", "Dice", "white matter") == 1
    assert number(scores, "simpleitk", "nWD(t,p)", "head") < 50
    assert number(scores, "simpleitk", "PSNR", "head") > number(scores, "nothing", "PSNR", "head")
    assert set(scores.direction) == {"B to C"}


def test_a_line_that_fails_is_named_with_its_reason_and_the_others_are_scored(evaluated):
    _, output, found = evaluated
    assert [bool(line.error) for line in found] == [False, False, True, False]
    lines = pd.read_csv(output / "lines.tsv", sep="\t")
    assert list(lines.status) == ["scored", "scored", "failed", "scored"]
    assert "gone.nii.gz" in lines.message[2]
    summary = (output / "summary.md").read_text()
    assert "3 of 4 lines scored" in summary
    assert lines.segmentation[0] == "given, native grid, 1 fluid, 2 grey, 3 white"
    assert "## B to C" in summary
    assert "- line 4: " in summary


def test_what_was_scored_is_not_scored_again(evaluated, monkeypatch):
    table, output, _ = evaluated
    monkeypatch.setattr("hail_mri.apps.scored_line.measure_pair", lambda *_: pytest.fail("again"))
    before = (output / "scores.tsv").read_bytes()
    evaluate(table, output)
    assert (output / "scores.tsv").read_bytes() == before


def test_a_bug_of_ours_is_told_as_one_and_shown_in_full(evaluated, monkeypatch, tmp_path, capsys):
    def measure(*_):
        raise TypeError("a bug")

    monkeypatch.setattr("hail_mri.apps.scored_line.measure_pair", measure)
    found = evaluate(evaluated[0], tmp_path)
    assert found[0].error == "internal error, TypeError('a bug')"
    assert "Traceback" in capsys.readouterr().err


def test_two_processes_find_what_one_finds(evaluated, tmp_path):
    table, output, _ = evaluated
    evaluate(table, tmp_path, n_processes=2)
    assert (tmp_path / "scores.tsv").read_bytes() == (output / "scores.tsv").read_bytes()


def test_what_was_lost_and_what_appeared_is_written_as_maps_if_wanted(study, simulated_slab, tmp_path):
    inside = load_volume(study / "brain.nii.gz").data > 0
    blob = np.linalg.norm(np.indices(inside.shape).T - np.argwhere(inside).mean(axis=0), axis=-1).T < 3
    save_volume(
        simulated_slab.with_data(simulated_slab.data + 400 * blob.astype(np.float32)),
        study / "blob.nii.gz",
        overwrite=True,
    )
    table = write_table(study / "blob.tsv", [line("blob"), line("gone")])
    settings = MeasureSettings(segmentation="none")
    for _ in range(2):  # the second time they are there
        evaluate(table, tmp_path, settings, save_maps=True)
    lines = pd.read_csv(tmp_path / "lines.tsv", sep="\t")
    appeared = load_volume(tmp_path / lines["appeared structures, map"][0])
    assert np.array_equal(appeared.affine, simulated_slab.affine)
    assert (appeared.data > 0)[blob].mean() > 0.9
    # Beneath the blob what was there is lost, and nowhere else.
    lost = load_volume(tmp_path / lines["lost structures, map"][0]).data != 0
    assert not lost[~ndimage.binary_dilation(blob, iterations=2)].any()
    scores = pd.read_csv(tmp_path / "scores.tsv", sep="\t", na_values="n/a", keep_default_na=False)
    assert number(scores, "blob", "appeared structures", "brain") == pytest.approx(blob.sum() * 0.008, rel=0.3)
    assert number(scores, "blob", "appeared structures, number", "head") == 1
    assert number(scores, "blob", "lost structures", "brain") == pytest.approx(lost[inside].sum() * 0.008)
    assert len(list((tmp_path / "maps").iterdir())) == 2


def test_maps_are_made_of_what_was_scored_without_them(study, tmp_path):
    table = write_table(study / "maps.tsv", [line("nothing")])
    settings = MeasureSettings(segmentation="none")
    evaluate(table, tmp_path, settings)
    before = (tmp_path / "scores.tsv").read_bytes()
    assert not (tmp_path / "maps").exists()
    evaluate(table, tmp_path, settings, save_maps=True)
    assert len(list((tmp_path / "maps").glob("*_lost.nii.gz"))) == 1
    assert (tmp_path / "scores.tsv").read_bytes() == before


def test_a_perfect_result_is_kept_as_json_that_others_can_read(study, tmp_path):
    table = write_table(study / "perfect.tsv", [line("truth")])
    settings = MeasureSettings(segmentation="none")
    for _ in range(2):  # the second time from what was kept
        evaluate(table, tmp_path, settings)
        scores = pd.read_csv(tmp_path / "scores.tsv", sep="\t", na_values="n/a", keep_default_na=False)
        assert number(scores, "truth", "PSNR", "head") == np.inf
    (kept,) = (tmp_path / "kept").glob("*.json")
    json.loads(kept.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_what_was_kept_and_damaged_is_measured_again(evaluated, tmp_path):
    table, output, _ = evaluated
    evaluate(table, tmp_path)
    damaged = min((tmp_path / "kept").iterdir())
    damaged.write_text(json.dumps({"numbers": [{"metric": "PSNR"}]}))
    evaluate(table, tmp_path)
    assert (tmp_path / "scores.tsv").read_bytes() == (output / "scores.tsv").read_bytes()


@pytest.mark.parametrize("known", ["known_labels", "labels"])
def test_the_error_of_the_engine_stands_beside_the_result(study, tmp_path, known):
    pytest.importorskip("ants")
    cells = line("nothing")
    cells[known] = "labels.nii.gz"
    table = write_table(study / f"{known}.tsv", [cells])
    (found,) = evaluate(table, tmp_path, MeasureSettings(segmentation="atropos"))
    numbers = {(n["metric"], n["region"]): n["value"] for n in found.numbers}
    assert numbers["rAVD", "grey matter"] == 0  # nothing was changed
    assert 0 < numbers["rAVD floor", "grey matter"] < 40
    assert 0.7 < numbers["Dice with labels given", "white matter"] < 1
    assert found.segmentation == "atropos, native grid"
    assert "Tissues by atropos, native grid." in (tmp_path / "summary.md").read_text()


def test_a_scan_of_several_lines_is_segmented_once(study, tmp_path):
    pytest.importorskip("ants")
    table = write_table(study / "twice.tsv", [line("nothing"), line("simpleitk")])
    evaluate(table, tmp_path, MeasureSettings(segmentation="atropos"))
    kept = sorted((tmp_path / "kept" / "labels").glob("*.nii.gz"))
    assert len(kept) == 3  # of source (which is what nobody changed), target and one result
    before = {path: path.stat().st_mtime_ns for path in kept}
    evaluate(table, tmp_path / "again", MeasureSettings(segmentation="atropos"))
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    first, second = ((folder / "scores.tsv").read_bytes() for folder in (tmp_path, tmp_path / "again"))
    assert first == second


def test_volumes_and_means_of_tissues_are_those_of_the_labels(evaluated, study):
    _, output, _ = evaluated
    tissues = pd.read_csv(output / "tissues.tsv", sep="\t")
    labels = load_volume(study / "labels.nii.gz").data
    source = tissues[(tissues.method == "nothing") & (tissues.scan == "source")].set_index("tissue")
    assert source.volume_ml["grey matter"] == pytest.approx((labels == 2).sum() * 8 / 1000, abs=1e-3)
    white = tissues[(tissues.scan == "target") & (tissues.tissue == "white matter")]["mean"]
    assert white.between(0.5, 0.7).all()  # white matter of the target is at 0.6


def test_what_was_kept_is_measured_again_when_the_names_of_labels_have_changed(study, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    for path in study.glob("*.nii.gz"):
        (folder / path.name).symlink_to(path)
    table = write_table(folder / "pairs.tsv", [line("nothing")])
    (by_numbers,) = evaluate(table, tmp_path / "out")
    (folder / "labels.tsv").write_text("index\tname\n1\tcsf\n3\tgrey_matter\n2\twhite_matter\n")
    (by_names,) = evaluate(table, tmp_path / "out")
    assert by_numbers.segmentation == "given, native grid, 1 fluid, 2 grey, 3 white"
    assert by_names.segmentation == "given, native grid, names of the table beside it"
    volumes = [{(p.scan, p.tissue): p.volume_ml for p in found.profiles} for found in (by_numbers, by_names)]
    assert volumes[0]["source", "grey matter"] == volumes[1]["source", "white matter"]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(("hail_mri.apps.scored_line.engine_version", lambda _: "another"), id="engine"),
        pytest.param(("hail_mri.apps.scored_line.EDITION", -1), id="edition of what is kept"),
    ],
)
def test_what_was_kept_by_another_engine_or_edition_is_measured_again(study, tmp_path, monkeypatch, changed):
    table = write_table(study / "kept.tsv", [line("nothing")])
    settings = MeasureSettings(segmentation="none")
    evaluate(table, tmp_path, settings)
    monkeypatch.setattr(*changed)
    evaluate(table, tmp_path, settings)
    assert len(list((tmp_path / "kept").glob("*.json"))) == 2


def test_a_covariate_that_the_table_lacks_is_told(study, tmp_path, capsys):
    table = write_table(study / "weight.tsv", [line("nothing", weight="70")])
    command = ["evaluate", str(table), "-o", str(tmp_path / "out"), "--segmentation", "given", "--covariate"]
    assert main([*command, "age"]) == 2
    assert "no column age, but weight" in capsys.readouterr().err
    assert main([*command, "weight"]) == 0
    groups = (tmp_path / "out" / "groups.tsv").read_text()
    assert "there are 1 scans for 2 unknowns" in groups


def test_an_evaluation_of_something_else_is_not_replaced_unasked(evaluated):
    table, output, _ = evaluated
    with pytest.raises(OutputExistsError, match="something else"):
        evaluate(table, output, MeasureSettings(segmentation="none"))


def test_a_result_in_units_of_its_own_is_scored_as_in_the_paper(study, tmp_path):
    table = write_table(study / "paper.tsv", [line("truth", harmonized="target.nii.gz")])
    evaluate(table, tmp_path, MeasureSettings(scale="min-max", segmentation="given"))
    scores = pd.read_csv(tmp_path / "scores.tsv", sep="\t", na_values="n/a", keep_default_na=False)
    assert number(scores, "truth", "nWD(t,p)", "image") == 0
    assert number(scores, "truth", "nWD(i,p)", "image") == pytest.approx(100)


def test_a_result_or_a_truth_in_another_unit_is_warned_of(study, tmp_path, capsys):
    target = load_volume(study / "target.nii.gz")
    for name, factor in (("small", 0.01), ("dimmer", 0.95)):
        save_volume(target.with_data(factor * target.data), study / f"{name}.nii.gz", overwrite=True)
    rows = [line("small"), line("truth", truth="dimmer.nii.gz"), line("truth")]
    table = write_table(study / "units.tsv", rows)
    command = ["evaluate", str(table), "-o", str(tmp_path), "--segmentation", "given"]
    assert main(command) == 0
    first = pd.read_csv(tmp_path / "lines.tsv", sep="\t").message
    assert "--scale min-max" in first[0]
    assert "multiply it by 1.0" in first[1]
    assert first.isna()[2]
    told = capsys.readouterr().err
    assert "warning: line 2: white matter is at" in told
    assert "warning: line 3: white matter is at" in told
    summary = (tmp_path / "summary.md").read_text()
    assert "## In doubt" in summary
    assert "- line 2: white matter" in summary
    assert main([*command, "--scale", "min-max", "--overwrite"]) == 0
    assert "warning" not in capsys.readouterr().err


def test_labels_that_the_line_lacks_are_named(study, tmp_path):
    cells = line("nothing")
    del cells["harmonized_labels"]
    (found,) = evaluate(write_table(study / "lacking.tsv", [cells]), tmp_path)
    assert "no harmonized_labels" in found.error


def test_a_result_on_another_grid_is_told(study, simulated_scan, tmp_path):
    save_volume(simulated_scan, study / "whole.nii.gz")
    (found,) = evaluate(write_table(study / "whole.tsv", [line("whole")]), tmp_path)
    assert "another grid" in found.error


def test_the_command_ends_with_70_where_a_line_failed(evaluated, capsys):
    table, output, _ = evaluated
    assert main(["evaluate", str(table), "-o", str(output), "--segmentation", "given"]) == 70
    told = capsys.readouterr()
    assert "3 of 4 lines scored" in told.out
    assert "failed: line 4: " in told.err


def test_the_command_says_in_one_line_what_is_wrong_with_a_table(tmp_path, capsys):
    (tmp_path / "pairs.tsv").write_text("source\ttarget\n")
    assert main(["evaluate", str(tmp_path / "pairs.tsv"), "-o", str(tmp_path / "out")]) == 2
    assert "no column harmonized" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
