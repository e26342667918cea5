import numpy as np
import pytest

from hail_mri.model.brain_interior import FROM_DEPTH, OUTSIDE_BRAIN, TO_DEPTH, brain_interior
from hail_mri.model.tissue_classes import TISSUE_CLASSES

SPACING, RADIUS = 2.0, 30.0


@pytest.fixture
def distance():
    """How far each voxel is from the middle, mm."""
    axis = SPACING * (np.arange(41) - 20)
    return np.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)


def test_the_interior_begins_below_the_surface_and_is_certain_deeper(distance):
    interior = brain_interior(distance < RADIUS, SPACING)

    assert interior[distance > RADIUS - FROM_DEPTH + SPACING].max() == 0
    assert interior[distance < RADIUS - TO_DEPTH - SPACING].min() == 1
    assert ((interior > 0) & (interior < 1)).any()
    deeper = np.argsort(-distance, axis=None)
    assert np.diff(interior.ravel()[deeper]).min() > -SPACING / (TO_DEPTH - FROM_DEPTH)  # but for the steps of the grid


def test_a_hole_in_the_brain_is_brain(distance):
    whole = brain_interior(distance < RADIUS, SPACING)
    with_hole = brain_interior((distance < RADIUS) & (distance > 6), SPACING)
    np.testing.assert_array_equal(with_hole, whole)


def test_the_brain_goes_on_where_the_field_of_view_ends(distance):
    half = (distance < RADIUS)[20:]
    np.testing.assert_array_equal(brain_interior(half, SPACING)[0], brain_interior(distance < RADIUS, SPACING)[20])
    assert brain_interior(np.ones((3, 3, 3), bool), SPACING).min() == 1


def test_without_a_brain_nothing_is_interior():
    assert brain_interior(np.zeros((5, 5, 5), bool), SPACING).max() == 0


def test_fat_and_blood_are_no_brain_and_fluid_is():
    names = {TISSUE_CLASSES[k] for k in OUTSIDE_BRAIN}
    assert {"fat", "marrow", "blood", "mucosa"} <= names
    assert not names & {"background", "white_matter", "csf"}
