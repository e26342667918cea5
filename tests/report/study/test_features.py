import math

import numpy as np
import pytest

from hail_mri.model.tissue_classes import CLASS_INDEX, CSF, GREY_MATTER, WHITE_MATTER
from hail_mri.report.study.features import deep_in, feature_names, intensities, intensity_names, volume_names


@pytest.fixture
def labels():
    """Grey matter around white matter, with fluid in the middle; as wide as deep as high."""
    found = np.full((12, 14, 16), GREY_MATTER)
    found[2:-2, 2:-2, 2:-2] = WHITE_MATTER
    found[5:-5, 5:-5, 5:-5] = CSF
    return found


@pytest.fixture
def data(labels):
    signal = np.zeros(16)
    signal[[GREY_MATTER, WHITE_MATTER, CSF]] = 60, 100, 20
    return signal[labels] + np.random.default_rng(0).normal(0, 2, labels.shape)


def everywhere(labels):
    return np.ones(labels.shape, bool)


def test_intensities_are_those_of_each_tissue(data, labels):
    found = intensities(data, labels, everywhere(labels), everywhere(labels))

    assert list(found) == list(intensity_names())
    for name in ("grey_matter", "white_matter", "csf"):
        voxels = data[labels == CLASS_INDEX[name]]
        assert found[f"{name}_mean"] == pytest.approx(voxels.mean())
        assert found[f"{name}_median"] == pytest.approx(np.median(voxels))
        assert found[f"{name}_p90"] == pytest.approx(np.percentile(voxels, 90))
    assert found["grey_white_contrast"] == pytest.approx(50, abs=0.5)


def test_a_tissue_that_is_not_there_has_no_number(data, labels):
    found = intensities(data, labels, everywhere(labels), everywhere(labels))

    assert math.isnan(found["thalamus_mean"])
    assert math.isnan(found["thalamus_median"])


def test_what_is_outside_of_the_brain_does_not_count(data, labels):
    brain = everywhere(labels)
    brain[:, :, 8:] = False
    bright = np.where(brain, data, 1e6)

    assert intensities(bright, labels, brain, brain)["grey_matter_mean"] < 70


def test_deep_fluid_is_fluid_that_stripping_does_not_reach(data, labels):
    deep = everywhere(labels)
    deep[:, :, 8:] = False
    found = intensities(np.where(deep, data, data + 10), labels, everywhere(labels), deep)

    fluid = labels == CSF
    assert found["deep_csf_median"] == pytest.approx(np.median(data[fluid & deep]))
    assert found["csf_median"] > found["deep_csf_median"]
    assert math.isnan(intensities(data, labels, everywhere(labels), ~everywhere(labels))["deep_csf_mean"])


def test_deep_is_more_than_fifteen_millimetres_below_the_surface_and_not_below_the_edge_of_a_slab():
    brain = np.zeros((40, 60, 9), bool)
    brain[10:30, 5:55] = True
    brain[20, 30, 4] = False  # a hole is no surface

    found = deep_in(brain, (2.0, 1.0, 3.0))

    assert np.unique(np.nonzero(found)[0]).tolist() == [17, 18, 19, 20, 21, 22]  # 16 mm and more
    assert np.unique(np.nonzero(found)[1]).tolist() == list(range(20, 40))
    assert np.unique(np.nonzero(found)[2]).tolist() == list(range(9))
    assert not deep_in(np.zeros((3, 3, 3), bool), (1.0, 1.0, 1.0)).any()


def test_contrast_does_not_depend_on_the_unit(data, labels):
    once, twice = (intensities(factor * data, labels, everywhere(labels), everywhere(labels)) for factor in (1, 7))

    assert twice["grey_white_contrast_left_front_upper"] == pytest.approx(once["grey_white_contrast_left_front_upper"])
    assert twice["grey_matter_p10"] == pytest.approx(7 * once["grey_matter_p10"])


@pytest.mark.parametrize(
    ("place", "names"),
    [
        pytest.param(np.s_[:6], ("left",), id="left"),
        pytest.param(np.s_[6:], ("right",), id="right"),
        pytest.param(np.s_[:, :7], ("back",), id="back"),
        pytest.param(np.s_[:, :, 8:], ("upper",), id="upper"),
    ],
)
def test_a_region_is_where_its_name_says(data, labels, place, names):
    changed = data.copy()
    changed[place][labels[place] == GREY_MATTER] += 20  # less contrast there

    before, after = (intensities(values, labels, everywhere(labels), everywhere(labels)) for values in (data, changed))

    regions = [name for name in before if name.startswith("grey_white_contrast_")]
    lower = {name for name in regions if after[name] < before[name] - 1}
    assert lower == {name for name in regions if names[0] in name.split("_")}
    assert len(lower) == 4


def test_all_features_have_a_name_once():
    names = feature_names()

    assert len(names) == len(set(names))
    assert set(names) == {*volume_names(), *intensity_names()}
