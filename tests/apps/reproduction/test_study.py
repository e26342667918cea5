"""Studies: presets, names of folders, and what cannot be asked for."""

import pytest

from hail_mri.apps.reproduction.cohort import TARGET, cases_of, label_map_names, visits_of
from hail_mri.apps.reproduction.methods import METHODS, why_missing
from hail_mri.apps.reproduction.published import DIRECTIONS
from hail_mri.apps.reproduction.study import Method, Study, study_of
from hail_mri.errors import InputError
from hail_mri.evaluation.comparison import BASELINES


def test_every_subject_goes_in_every_direction_and_the_target_is_somebody_else(tmp_path):
    study = study_of("small", METHODS, label_maps_dir=None, has_ants=False)
    cases = list(cases_of(study, tmp_path))
    assert [case.direction for case in cases] == [*DIRECTIONS] * 2
    assert all(TARGET in case.target("scan").name and TARGET not in case.source("scan").name for case in cases)


def test_the_target_is_simulated_before_the_others_need_it():
    targets, sources = visits_of(study_of("small", METHODS, label_maps_dir=None, has_ants=False))
    assert targets == [(TARGET, site) for site in "ABC"]
    assert len(sources) == 6


def test_the_target_has_a_label_map_of_its_own(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz", "c.nii.gz"):
        (tmp_path / name).write_bytes(b"")
    study = study_of("small", METHODS, label_maps_dir=tmp_path, has_ants=True)
    assert label_map_names(study) == {TARGET: "a.nii.gz", "sub-01": "b.nii.gz", "sub-02": "c.nii.gz"}


def test_without_ants_nobody_finds_the_tissues():
    assert study_of("full", METHODS, label_maps_dir=None, has_ants=False).segmentation == "none"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("HAIL", "hail"),
        ("histogram matching, exact", "histogram-matching-exact"),
        ("a/b.safetensors", "a-b-safetensors"),
    ],
)
def test_the_folder_of_a_method_is_its_name(name, folder):
    assert Method(name).folder == folder


def test_two_methods_with_one_folder_are_refused():
    with pytest.raises(InputError, match="two methods called"):
        Study(1, 2.0, (Method("min-max"), Method("Min Max")))


def test_methods_without_a_network_are_never_missing():
    assert not any(why_missing(Method(name)) for name in BASELINES)


def test_a_method_without_weights_says_so():
    assert why_missing(Method("HAIL", "no such weights")) == "not released"
