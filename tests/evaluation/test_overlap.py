"""Dice against SciPy, scikit-learn and SimpleITK, on random, equal, disjoint and empty masks."""

from itertools import permutations

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import dice as dissimilarity
from sklearn.metrics import f1_score

from hail_mri.errors import InputError
from hail_mri.evaluation.overlap import dice, dice_of_structures

masks = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60).map(np.array)


@pytest.fixture
def labels():
    """Two label maps that agree in part, with four labels."""
    rng = np.random.default_rng(2)
    first = rng.integers(0, 4, (7, 8, 9))
    return first, np.where(rng.random(first.shape) < 0.7, first, rng.integers(0, 4, first.shape))


@given(masks)
def test_dice_agrees_with_scipy_and_scikit_learn(pairs):
    a, b = pairs.T
    found = dice(a, b).value
    if not pairs.any():
        assert found is None
    else:
        assert found == pytest.approx(1 - dissimilarity(a, b), abs=1e-12)
        assert found == pytest.approx(f1_score(a, b), abs=1e-12)


def test_each_structure_agrees_with_simpleitk(labels):
    measures = sitk.LabelOverlapMeasuresImageFilter()
    measures.Execute(*(sitk.GetImageFromArray(array.astype(np.uint8)) for array in labels))
    found = dice_of_structures(*labels, {str(number): (number,) for number in (1, 2, 3)})
    for number in (1, 2, 3):
        assert found[str(number)].value == pytest.approx(measures.GetDiceCoefficient(number), abs=1e-12)


def test_structure_of_several_labels_is_their_union(labels):
    a, b = labels
    (found,) = dice_of_structures(a, b, {"matter": (2, 3)}).values()
    assert found == dice(a >= 2, b >= 2)


@given(masks)
def test_dice_is_symmetric(pairs):
    assert dice(*pairs.T) == dice(*pairs.T[::-1])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_of_the_axes_does_not_matter(labels, order):
    a, b = labels
    assert dice(a == 1, b == 1) == dice(a.transpose(order) == 1, b.transpose(order) == 1)


def test_equal_masks_are_one_and_disjoint_ones_zero():
    assert dice([0, 1, 1], [0, 1, 1]).value == 1
    assert dice([1, 0, 0], [0, 1, 1]).value == 0


def test_one_empty_mask_is_zero_and_two_are_undefined():
    assert dice([0, 0], [0, 1]).value == 0
    assert dice_of_structures([1, 1], [1, 1], {"lesion": (9,)})["lesion"].reason == "both masks are empty"


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        pytest.param([1, 0], [1, 0, 0], "shapes differ", id="other shape"),
        pytest.param([], [], "no voxels", id="empty"),
    ],
)
def test_masks_that_cannot_be_compared_are_refused(a, b, message):
    with pytest.raises(InputError, match=message) as caught:
        dice(a, b)
    assert caught.value.hint
