import io

import numpy as np
import pytest
from PIL import Image

from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.report.study.thumbnails import Window, jpeg, middle_slice, white_matter_window


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)), dtype=float)


def test_the_slice_is_seen_from_above_with_the_left_at_the_left(small_volume):
    picture, spacing = middle_slice(small_volume, (0, 5, 0, 7, 1))

    assert picture.shape == (8, 6)
    assert spacing == (3.0, 2.0)
    assert picture[0, 0] == small_volume.data[0, 7, 1]  # front and left
    assert picture[-1, -1] == small_volume.data[5, 0, 1]  # back and right


def test_how_a_file_keeps_its_axes_does_not_matter(small_volume):
    turned = Volume(
        small_volume.data[::-1].transpose(2, 0, 1), [[0, -2, 0, 10], [0, 0, 3, 0], [4, 0, 0, 0], [0, 0, 0, 1]]
    )
    assert np.array_equal(to_canonical(turned).data, small_volume.data)

    assert np.array_equal(middle_slice(turned, None)[0], middle_slice(small_volume, None)[0])


def test_a_picture_is_square_and_a_millimetre_is_the_same_in_both_directions():
    picture = np.full((50, 100), 1.0)

    found = pixels(jpeg(picture, (1.0, 1.0), Window(0, 1), size=80))

    assert found.shape == (80, 80)
    assert found[40].min() > 250
    assert found[:18].max() < 5
    assert found[-18:].max() < 5


@pytest.mark.parametrize("gain", [1.0, 1000.0])
def test_white_matter_has_the_same_grey_in_any_unit(gain):
    found = pixels(jpeg(np.full((20, 20), 70.0 * gain), (1, 1), white_matter_window(70.0 * gain), size=40))

    assert found.mean() == pytest.approx(255 / 1.4, abs=2)


def test_a_slice_that_is_the_same_everywhere_is_a_picture_too():
    assert pixels(jpeg(np.zeros((20, 20)), (1, 1), None, size=40)).max() == 0


def test_a_box_beyond_the_volume_is_cut(small_volume):
    picture, _ = middle_slice(small_volume, (0, 50, 0, 70, 40))

    assert picture.shape == (8, 6)
