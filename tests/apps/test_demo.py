"""The demo works offline, writes scans, pictures and scores, and prints these; a stand-in harmonizes."""

import numpy as np
import pytest

from hail_mri.apps import demo
from hail_mri.evaluation.comparison import EXACT_MATCHING, baseline_results
from hail_mri.evaluation.score_table import read_scores
from hail_mri.evaluation.scored_pair import ScoredPair
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume

SCANS = ["template_harmonized", "template_source", "template_target"]
SCANS += [f"travelling_subject_{name}" for name in ("harmonized", "source", "target", "truth")]


@pytest.fixture
def quick(monkeypatch, mni):
    """Harmonize by histogram matching (the demo is tested, not the model), and take coarser heads."""

    def harmonize(source, target, **_):
        return baseline_results(ScoredPair(source, target))[EXACT_MATCHING]

    def coarse_template():
        template = load_template()
        return Volume(template.data[::4, ::4, ::4], template.affine @ np.diag([4.0, 4.0, 4.0, 1.0]))

    load_template = demo.load_template
    monkeypatch.setattr(demo, "harmonize", harmonize)
    monkeypatch.setattr(demo, "load_template", coarse_template)
    monkeypatch.setattr(demo, "mni_label_map", lambda: mni)


@pytest.mark.usefixtures("quick")
def test_demo_prints_every_method_and_replaces_an_earlier_demos_files(tmp_path, capsys, tree):
    (tmp_path / "template.png").write_text("an earlier one")
    assert demo.main(["-o", str(tmp_path), "--spacing", "8"]) == 0
    printed = capsys.readouterr().out
    for method in ("do nothing", "histogram matching, exact", "SimpleITK", "oracle", "hail-mri", "rescan"):
        assert method in printed
    others = [f"{subject}{end}" for subject in ("template", "travelling_subject") for end in (".png", "_scores.tsv")]
    assert tree(tmp_path) == sorted([f"{scan}.nii.gz" for scan in SCANS] + others)
    assert (tmp_path / "template.png").read_bytes().startswith(b"\x89PNG")
    assert {load_volume(tmp_path / f"{s}.nii.gz").shape for s in SCANS if "travelling" in s} == {(24, 30, 32)}
    assert {score.psnr_head for score in read_scores(tmp_path / "template_scores.tsv")} == {None}
    assert read_scores(tmp_path / "travelling_subject_scores.tsv")[-1].psnr_head > 30


def test_folder_that_is_a_file_is_one_line_and_exit_2(tmp_path, capsys):
    place = tmp_path / "demo"
    place.write_text("in the way")
    assert demo.main(["-o", str(place)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_template_is_the_real_one_at_one_millimetre():
    template = demo.load_template()
    assert template.shape == (197, 233, 189)
    assert template.spacing.tolist() == [1, 1, 1]
