import numpy as np
import pytest
from matplotlib.image import imread

from hail_mri.report.example_picture import save_example
from hail_mri.training.example import Example

SCAN = np.random.default_rng(0).random((8, 10, 12)).astype(np.float32)
LABELS = (SCAN * 16).astype(np.int64)


@pytest.mark.parametrize("labels", [pytest.param({}, id="scans"), pytest.param({"found": LABELS}, id="and labels")])
def test_the_picture_that_is_returned_is_the_one_in_the_file(tmp_path, labels):
    picture = save_example(Example({"source": SCAN}, labels), tmp_path / "new" / "a.png", "after step 3")
    assert picture.dtype == np.uint8
    assert np.array_equal(picture, np.round(imread(tmp_path / "new" / "a.png")[..., :3] * 255))


def test_every_scan_has_the_same_grey_scale(tmp_path):
    one, half = (save_example(Example({"s": s * SCAN}), tmp_path / "a.png", "x").astype(int) for s in (1.0, 0.5))
    inside = one != half  # frames and text are the same
    assert inside.mean() > 0.3
    assert np.median(half[inside] / one[inside]) == pytest.approx(0.5, abs=0.02)


def test_a_label_has_its_colour_wherever_it_is_and_the_background_is_black(tmp_path):
    both = Example({"scan": SCAN}, {"found": np.zeros_like(LABELS), "true": np.full_like(LABELS, 3)})
    picture = save_example(both, tmp_path / "a.png", "x")
    colours, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    common = {tuple(colour) for colour in colours[np.argsort(counts)[-3:]].tolist()}
    assert common == {(255, 255, 255), (0, 0, 0), (255, 187, 120)}
