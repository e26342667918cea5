import pytest

from hail_mri.model.tissue_classes import CLASS_INDEX, WHITE_MATTER
from hail_mri.simulation.protocol_ranges import FAMILIES, protocol_ranges


@pytest.fixture(scope="module")
def ranges():
    return protocol_ranges(0.6)


def test_white_matter_is_where_it_is_said_to_be(ranges):
    assert set(ranges) == set(FAMILIES)
    for family in ranges.values():
        assert family[WHITE_MATTER] == pytest.approx(0.6)


@pytest.mark.parametrize("family", FAMILIES)
def test_t1_weighting_makes_fluid_darker_than_grey_matter_and_that_darker_than_white(family, ranges):
    fluid, grey, fat = (ranges[family][CLASS_INDEX[name]] for name in ("csf", "grey_matter", "fat"))

    assert (fluid < grey).all()
    assert grey.mean() < 0.6
    assert fat[0] < fat[1]


def test_an_inversion_makes_more_contrast_than_a_spin_echo(ranges):
    grey = CLASS_INDEX["grey_matter"]

    assert ranges["MPRAGE"][grey].mean() < ranges["spin echo"][grey].mean()
