"""The shipped model on a simulated scan of the built-in head, whose tissues are known; laws on a slab of it."""

import nibabel as nib
import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.orientation import orient_like, to_canonical
from hail_mri.image.volume import Volume
from hail_mri.model.tissue_classes import BRAIN, CLASS_INDEX, TISSUE_CLASSES
from hail_mri.segmentation.segment import segment
from hail_mri.simulation.tissues import classes_of_tissues

pytestmark = pytest.mark.xdist_group("simulated head")
SPACING = 2.0  # mm; at 3 mm the fluid around this brain is thinner than a voxel


@pytest.fixture(scope="module")
def scan(simulated_scan):
    return simulated_scan


@pytest.fixture(scope="module")
def segmentation(simulated_segmentation):
    return simulated_segmentation


@pytest.fixture(scope="module")
def slab_segmentation(simulated_slab):
    return segment(simulated_slab, keep_probabilities=True)


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize(("tissue", "least"), [("white_matter", 0.8), ("grey_matter", 0.75), ("csf", 0.5)])
def test_labels_are_the_tissues_that_were_scanned(segmentation, visit, tissue, least):
    truth = classes_of_tissues()[visit.head.tissue_labels.long()].numpy()
    index = CLASS_INDEX[tissue]

    assert dice(segmentation.labels.data == index, truth == index) > least


def test_the_brain_mask_is_the_brain_that_was_scanned(segmentation, visit):
    assert dice(segmentation.brain_mask.data > 0, visit.head.brain.numpy()) > 0.93


@pytest.mark.slow
def test_a_whole_head_is_not_skull_stripped_and_its_brain_alone_is(segmentation, scan, visit):
    stripped = segment(scan.with_data(np.where(visit.head.brain.numpy(), scan.data, 0)))

    assert not segmentation.skull_stripped
    assert stripped.skull_stripped
    assert stripped.brain_volume_ml == pytest.approx(segmentation.brain_volume_ml, rel=0.05)


def test_volumes_are_the_probabilities_added_up(segmentation):
    assert list(segmentation.volumes_ml) == list(TISSUE_CLASSES[1:])
    counted = segmentation.probabilities.sum(axis=(1, 2, 3)) / 255 * SPACING**3 / 1000
    for name, volume in segmentation.volumes_ml.items():
        assert volume == pytest.approx(counted[CLASS_INDEX[name]], rel=0.02, abs=1.0)


def test_the_most_probable_tissue_is_the_label(segmentation):
    found = np.take_along_axis(segmentation.probabilities, segmentation.labels.data.astype(int)[None], axis=0)[0]

    np.testing.assert_array_equal(found, segmentation.probabilities.max(axis=0))
    assert np.abs(segmentation.probabilities.sum(axis=0, dtype=int) - 255).max() <= len(TISSUE_CLASSES) / 2


def test_labels_turn_with_the_scan_and_lie_on_its_grid(slab_segmentation, simulated_slab):
    turned = to_canonical(simulated_slab)
    ornt = nib.orientations.axcodes2ornt("PSR")
    affine = turned.affine @ nib.orientations.inv_ornt_aff(ornt, turned.shape)
    flipped = Volume(nib.orientations.apply_orientation(turned.data, ornt), affine)

    result = segment(flipped)

    assert result.labels.grid == flipped.grid or result.labels.grid.is_close(flipped.grid, tolerance_mm=1e-6)
    back = orient_like(result.labels, simulated_slab.grid)
    assert np.mean(back.data != slab_segmentation.labels.data) < 1e-3


def test_the_same_scan_gives_the_same_bits(slab_segmentation, simulated_slab):
    again = segment(simulated_slab, keep_probabilities=True)

    np.testing.assert_array_equal(again.probabilities, slab_segmentation.probabilities)
    np.testing.assert_array_equal(again.labels.data, slab_segmentation.labels.data)


def test_outside_a_brain_mask_that_is_given_all_is_background(simulated_slab, slab, visit):
    mask = visit.head.brain.numpy()[slab].copy()
    mask[:, : mask.shape[1] // 2] = False

    result = segment(simulated_slab, brain_region=simulated_slab.with_data(mask), keep_probabilities=True)

    assert not result.labels.data[~mask].any()
    assert not result.brain_mask.data[~mask].any()
    assert (result.probabilities[0][~mask] == 255).all()
    assert result.skull_stripped is None
    assert result.brain_volume_ml > 0.9 * np.count_nonzero(mask) * SPACING**3 / 1000


def test_no_label_of_the_brain_is_outside_the_brain_mask(segmentation):
    brain = np.isin(segmentation.labels.data, BRAIN)
    assert np.count_nonzero(brain & (segmentation.brain_mask.data == 0)) <= 0.001 * np.count_nonzero(brain)


def test_a_crumb_of_a_brain_is_refused_or_told(scan):
    box = np.zeros(scan.shape)
    box[46:49, 58:61, 70:73] = 1
    try:
        told = [str(check) for check in segment(scan, brain_region=scan.with_data(box)).checks]
    except InputError as error:
        told = [str(error)]
    assert any("brain" in line and not line.startswith("ok") for line in told)


def test_a_brain_of_an_odd_size_is_told(scan):
    small = Volume(scan.data, np.diag([1.2, 1.2, 1.2, 1.0]))

    assert {check.name: check.verdict for check in segment(small).checks}["brain volume"] == "check"


def test_a_model_that_names_no_tissues_is_refused(scan, small_feature_model):
    with pytest.raises(InputError, match="names no tissues"):
        segment(scan, model=small_feature_model)
