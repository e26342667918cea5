"""Balls and parts, beside scikit-image."""

import numpy as np
import pytest
from skimage import measure, morphology

from hail_mri.preprocess.shapes import ball, largest_part


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_a_ball_of_whole_voxels_is_that_of_scikit_image(radius):
    np.testing.assert_array_equal(ball(3.0 * radius, (3.0, 3.0, 3.0)), morphology.ball(radius) > 0)


def test_a_ball_is_as_wide_in_mm_along_every_axis():
    assert ball(6.0, (1.0, 2.0, 3.0)).shape == (13, 7, 5)


def test_the_largest_part_is_that_of_scikit_image():
    mask = np.random.default_rng(3).random((20, 20, 20)) < 0.2
    labels = measure.label(mask, connectivity=1)
    expected = labels == max(measure.regionprops(labels), key=lambda part: part.area).label
    np.testing.assert_array_equal(largest_part(mask), expected)


def test_an_empty_mask_has_no_part():
    assert not largest_part(np.zeros((3, 3, 3), dtype=bool)).any()
