"""Equation 2 against SimpleITK's and SciPy's counts, and where a structure is not there."""

from itertools import permutations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.evaluation.volume_difference import ravd, ravd_of_structures

volumes = st.floats(1e-3, 1e6)


@pytest.fixture
def labels():
    rng = np.random.default_rng(4)
    return rng.integers(0, 4, (7, 8, 9)), rng.choice(4, (7, 8, 9), p=[0.1, 0.2, 0.3, 0.4])


def test_each_structure_agrees_with_the_volumes_that_simpleitk_measures(labels):
    sizes = []
    for array in labels:
        shapes = sitk.LabelShapeStatisticsImageFilter()
        image = sitk.GetImageFromArray(array.astype(np.uint8))
        image.SetSpacing((1.0, 1.2, 2.0))  # of both, so it cancels
        shapes.Execute(image)
        sizes.append({number: shapes.GetPhysicalSize(number) for number in (1, 2, 3)})
    found = ravd_of_structures(*labels, {str(number): (number,) for number in (1, 2, 3)})
    for number in (1, 2, 3):
        expected = 100 * abs(sizes[1][number] - sizes[0][number]) / sizes[0][number]
        assert found[str(number)].value == pytest.approx(expected, rel=1e-9)


def test_structure_of_several_labels_agrees_with_scipys_sums(labels):
    source, harmonized = (ndimage.sum_labels(np.ones_like(a), a, [2, 3]).sum() for a in labels)
    (found,) = ravd_of_structures(*labels, {"matter": (2, 3)}).values()
    assert found.value == pytest.approx(100 * abs(harmonized - source) / source, rel=1e-12)


@given(volumes, st.floats(0, 3))
def test_volume_changed_by_a_factor_gives_the_factor_less_one(volume, factor):
    assert ravd(volume, volume * factor).value == pytest.approx(100 * abs(factor - 1), rel=1e-6, abs=1e-9)


@given(volumes, volumes, st.floats(1e-3, 1e3))
def test_unit_of_the_volumes_does_not_matter(source, harmonized, factor):
    expected = ravd(source, harmonized).value
    assert ravd(source * factor, harmonized * factor).value == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_of_the_axes_does_not_matter(labels, order):
    structures = {"one": (1,), "rest": (2, 3)}
    assert ravd_of_structures(*(a.transpose(order) for a in labels), structures) == ravd_of_structures(
        *labels, structures
    )


def test_structure_that_is_lost_is_all_of_its_volume_away():
    assert ravd(12.0, 0.0).value == 100


@pytest.mark.parametrize("harmonized", [0.0, 3.0], ids=["nowhere", "invented"])
def test_structure_that_the_source_does_not_have_is_undefined(harmonized):
    assert ravd(0.0, harmonized).reason == "the structure has no volume in the source"


def test_empty_structure_does_not_hide_the_others():
    found = ravd_of_structures([1, 1], [1, 0], {"one": (1,), "two": (2,)})
    assert found["one"].value == 50
    assert found["two"].value is None


@pytest.mark.parametrize("volume", [-1.0, float("nan"), float("inf")])
def test_what_is_no_volume_is_refused(volume):
    for arguments in ((volume, 1.0), (1.0, volume)):
        with pytest.raises(InputError, match="expected a number from 0") as caught:
            ravd(*arguments)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("labels", "message"),
    [pytest.param([], "is empty", id="empty"), pytest.param([0.5, np.nan], "not whole numbers", id="no labels")],
)
def test_what_is_no_label_map_is_refused(labels, message):
    with pytest.raises(InputError, match=message) as caught:
        ravd_of_structures([1, 2], labels, {"one": (1,)})
    assert caught.value.hint
