import io

import numpy as np
import pytest
from PIL import Image

from hail_mri.report.planes import BRIGHTER, DARKER, OUTLINE, Place, as_picture, grey, outlined, slice_at, two_colours

SHAPE = (60, 80, 40)
# A bright box to the right, to the front and above the middle, mm from there; where it is to be seen, from the middle.
SIDES = [
    pytest.param(0, (1, 1), id="sagittal: front on the right, top above"),
    pytest.param(1, (1, 1), id="coronal: right on the right, top above"),
    pytest.param(2, (1, 1), id="axial: right on the right, front above"),
]


def box(shape=SHAPE):
    data = np.zeros(shape, np.float32)
    i, j, k = (round(0.75 * n) for n in shape)
    data[i - 4 : i + 5, j - 4 : j + 5, k - 4 : k + 5] = 100.0
    return data


@pytest.mark.parametrize(("axis", "sides"), SIDES)
def test_planes_are_shown_upright_with_the_patients_left_on_the_left(axis, sides):
    middle = [n / 2 for n in SHAPE]
    middle[axis] = 0.75 * SHAPE[axis]
    shown = slice_at(box(), Place.of(middle, (2.0, 2.0, 2.0)), axis)
    rows, columns = np.nonzero(shown > 50)
    height, width = shown.shape
    assert np.sign(columns.mean() - width / 2) == sides[0]
    assert np.sign(height / 2 - rows.mean()) == sides[1]


def test_anisotropic_voxels_are_shown_in_millimetres():
    data = np.zeros((41, 41, 21), np.float32)
    data[10:31, 10:31, 5:16] = 100.0  # 42 x 42 x 44 mm
    shown = slice_at(data, Place.of((20, 20, 10), (2.0, 2.0, 4.0)), 0)
    rows, columns = np.nonzero(shown > 50)
    assert np.ptp(rows) == pytest.approx(44 / 0.9, abs=2)
    assert np.ptp(columns) == pytest.approx(42 / 0.9, abs=2)


def test_a_place_beyond_the_scan_gives_its_nearest_plane():
    shown = slice_at(np.ones(SHAPE), Place.of((30, 40, 500), (2.0, 2.0, 2.0)), 2)
    assert shown.max() == 1


def test_colours_say_whether_it_got_darker_or_brighter():
    assert two_colours(np.array([[-9.0, -5.0, 0.0, 5.0]]), 5.0).tolist() == [
        [list(DARKER), list(DARKER), [0, 0, 0], list(BRIGHTER)]
    ]


def test_an_outline_leaves_what_it_surrounds_visible():
    mask = np.zeros((9, 9), bool)
    mask[3:6, 3:6] = True
    image = grey(np.full((9, 9), 65.0))
    shown = outlined(image, mask)
    assert (shown[mask] == 128).all()
    assert tuple(shown[2, 4]) == OUTLINE
    assert np.ndim(image) == 2


def test_a_picture_is_lossless():
    image = np.random.default_rng(0).integers(0, 256, (20, 30)).astype(np.uint8)
    picture = as_picture(image, "noise")
    assert (picture.width, picture.height) == (30, 20)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture.png))), image)
