import numpy as np
import pytest

from hail_mri.model.tissue_classes import BACKGROUND, BRAIN, CLASS_INDEX, CSF, GREY_MATTER, TISSUE_CLASSES, WHITE_MATTER
from hail_mri.model.tissue_masks import brain_mask, head_of, is_skull_stripped

SPACING = 2.0
SHAPE = (40, 44, 42)


def one_hot(classes):
    return np.stack([classes == k for k in range(len(TISSUE_CLASSES))]).astype(np.float32)


def balls(*parts):
    """Map of classes with a ball for each (class, radius, centre), the later ones on top."""
    i, j, k = np.indices(SHAPE)
    classes = np.full(SHAPE, BACKGROUND)
    for tissue, radius, (x, y, z) in parts:
        classes[(i - x) ** 2 + (j - y) ** 2 + (k - z) ** 2 <= radius**2] = tissue
    return classes


HEAD = [
    (CLASS_INDEX["fat"], 18, (20, 22, 21)),
    (CLASS_INDEX["bone"], 15, (20, 22, 21)),
    (CSF, 12, (20, 22, 21)),
    (GREY_MATTER, 10, (20, 22, 21)),
    (WHITE_MATTER, 7, (20, 22, 21)),
]


def test_the_brain_mask_is_the_brain_and_the_fluid_around_it():
    classes = balls(*HEAD)

    np.testing.assert_array_equal(brain_mask(one_hot(classes), SPACING), np.isin(classes, BRAIN))


def test_a_hole_in_the_brain_is_filled():
    classes = balls(*HEAD, (CLASS_INDEX["blood"], 2, (20, 22, 21)))

    assert brain_mask(one_hot(classes), SPACING)[20, 22, 21]


@pytest.mark.parametrize(
    "stray",
    [
        pytest.param((GREY_MATTER, 3, (20, 22, 37)), id="an island in the scalp"),
        pytest.param((GREY_MATTER, 1, (20, 22, 34)), id="a crumb that touches the brain"),
    ],
)
def test_what_hangs_on_the_brain_by_less_than_a_bridge_is_cut_off(stray):
    classes = balls(*HEAD, stray)

    mask = brain_mask(one_hot(classes), SPACING)

    np.testing.assert_array_equal(mask[:, :, :33], np.isin(classes, BRAIN)[:, :, :33])
    assert not mask[:, :, 35:].any()


def test_the_spinal_cord_is_cut_off_where_it_leaves_the_brain():
    classes = balls(*HEAD)
    classes[18:23, 20:25, :10] = CLASS_INDEX["brain_stem"]

    mask = brain_mask(one_hot(classes), SPACING)

    assert mask[20, 22, 10]
    assert not mask[:, :, :6].any()


def test_a_thin_slice_of_a_brain_is_kept():
    classes = balls(*HEAD)[:, :, 18:25]

    assert brain_mask(one_hot(classes)[:, :, :, 2:5], SPACING)[20, 22].all()


def test_a_brain_cut_by_the_field_of_view_reaches_its_border():
    classes = balls(*HEAD)[:, :, :22]

    assert brain_mask(one_hot(classes), SPACING)[20, 22, 21]


def test_a_map_without_a_brain_gives_an_empty_mask():
    assert not brain_mask(one_hot(balls(HEAD[0])), SPACING).any()


@pytest.mark.parametrize(("parts", "stripped"), [pytest.param(HEAD, False, id="whole head"), (HEAD[2:], True)])
def test_a_scan_is_skull_stripped_if_there_is_nothing_but_a_brain(parts, stripped):
    assert is_skull_stripped(one_hot(balls(*parts)), np.ones(SHAPE)) == stripped


def test_a_scan_without_tissue_is_not_skull_stripped():
    assert not is_skull_stripped(one_hot(balls()), np.ones(SHAPE))


def test_the_head_is_all_tissue_that_hangs_together():
    classes = balls(*HEAD, (CLASS_INDEX["fat"], 1, (2, 2, 2)))

    mask = head_of(one_hot(classes), SPACING)

    assert not mask[:5, :5, :5].any()
    tissue = classes != BACKGROUND
    assert mask[6:, 6:, 6:].sum() > 0.98 * tissue[6:, 6:, 6:].sum()
    assert not mask[~tissue].any()


def test_a_map_of_nothing_has_no_head():
    assert not head_of(one_hot(balls()), SPACING).any()
