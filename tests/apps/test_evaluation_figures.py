"""Which figures there are: one for each metric that has numbers, each direction, and a few pairs."""

import numpy as np
import pytest

from hail_mri.apps.evaluation_figures import MOST_METHODS, draw_figures
from hail_mri.apps.scored_line import Scored
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.tissue_profile import N_BINS, TissueProfile
from hail_mri.image.nifti import save_volume


@pytest.fixture
def files(make_head, tmp_path):
    """A source, its target, and a result, of 5 mm."""
    head = make_head()
    for name, gain in (("source", 1.0), ("target", 2.0), ("harmonized", 2.1)):
        save_volume(head.with_data(head.data * gain), tmp_path / f"{name}.nii.gz")
    return {name: tmp_path / f"{name}.nii.gz" for name in ("source", "target", "harmonized")}


def scored(files, method, value, *, error=""):
    row = PairRow(2, files, method, "01", "A|x", "B/y")
    number = {"metric": "PSNR", "region": "brain", "unit": "dB", "value": value, "reason": ""}
    counts = tuple(np.eye(N_BINS, dtype=int)[50].tolist())
    profiles = tuple(TissueProfile(scan, "csf", 1.0, 0.3, counts) for scan in ("source", "target", "harmonized"))
    return Scored(row, (number,), error, profiles=profiles)


def test_many_methods_of_a_pair_are_shown_in_parts_and_names_do_not_matter(files, tmp_path, tree):
    methods = ["source", "truth", *(f"method {n}" for n in range(MOST_METHODS))]
    draw_figures([scored(files, method, 20.0) for method in methods], tmp_path / "out", "units")
    assert tree(tmp_path / "out" / "figures") == [
        "boxes_PSNR-brain-dB.png",
        "boxes_PSNR-brain-dB.svg",
        "histograms_1_A-x-to-B-y.png",
        "histograms_1_A-x-to-B-y.svg",
        "slices_1_01-A-x-to-B-y_part-1.png",
        "slices_1_01-A-x-to-B-y_part-2.png",
    ]


def test_figures_of_before_are_replaced_and_failed_lines_are_not_shown(files, tmp_path, tree):
    folder = tmp_path / "out" / "figures"
    folder.mkdir(parents=True)
    (folder / "boxes_of-before.png").touch()
    draw_figures([scored(files, "ours", None), scored({}, "gone", 1.0, error="no file")], tmp_path / "out", "units")
    assert tree(folder) == [
        "histograms_1_A-x-to-B-y.png",
        "histograms_1_A-x-to-B-y.svg",
        "slices_1_01-A-x-to-B-y.png",
    ]


@pytest.mark.parametrize(("scale", "unit"), [("units", "target's units"), ("min-max", "0 to 1 of each image")])
def test_slices_have_the_unit_of_the_scale(files, tmp_path, monkeypatch, scale, unit):
    said = []
    monkeypatch.setattr(
        "hail_mri.apps.evaluation_figures.comparison_figure", lambda *_, **how: said.append(how["unit"])
    )
    draw_figures([scored(files, "ours", 20.0)], tmp_path / "out", scale)
    assert said == [unit]


def test_where_nothing_was_scored_nothing_is_drawn(tmp_path, tree):
    draw_figures([scored({}, "ours", 1.0, error="no file")], tmp_path, "units")
    assert tree(tmp_path) == []
