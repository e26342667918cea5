"""Which voxels hold nothing, and which intensity is none."""

import numpy as np
import pytest

from hail_mri.preprocess.background import constant_background, erased_voxels, zero_point

WHITE = 700.0


@pytest.fixture
def parts(make_head):
    """Intensities of a whole head, its mask, and its brain."""
    head = make_head(shape=(48, 56, 58), spacing=4.0)
    rng = np.random.default_rng(1)
    noise = np.hypot(*rng.normal(0, 12, (2, *head.shape))).astype(np.float32)
    mask = head.data != 0
    brain = mask & (head.data > 165) & (head.data < 800)
    return np.where(mask, np.abs(head.data), noise), mask, brain


def found_zero(data, mask):
    constant = constant_background(data)
    erased = erased_voxels(data, mask, constant)
    white_matter = np.percentile(data[mask & ~erased], 60)
    return zero_point(data, mask, erased, constant, white_matter)


@pytest.mark.parametrize(
    ("change", "expected", "origin"),
    [
        pytest.param(lambda d: d, 0.0, "air", id="as the scanner made it"),
        pytest.param(lambda d: d + 100, 100.0, "air", id="an offset"),
        pytest.param(lambda d: d - 100, -100.0, "air", id="a negative offset"),
        pytest.param(lambda d: (d - d.mean()) / d.std(), None, "air", id="standardized"),
        pytest.param(lambda d: d + 10, 0.0, "air", id="an offset no larger than noise"),
    ],
)
def test_the_air_tells_the_zero_point(parts, change, expected, origin):
    data, mask, _ = parts
    changed = change(data)
    zero = found_zero(changed, mask)
    if expected is None:
        expected = float(-data.mean() / data.std())
    assert zero.origin == origin
    assert zero.value == pytest.approx(expected, abs=0.02 * float(np.percentile(changed, 90) - expected))


@pytest.mark.parametrize(
    ("change", "background", "expected", "origin"),
    [
        pytest.param(lambda d: d, 0, 0.0, "background", id="stripped"),
        pytest.param(lambda d: d + 300, 300, 300.0, "background", id="stripped, with an offset"),
        pytest.param(lambda d: d, -32768, 0.0, "assumed", id="a background that is no intensity"),
        pytest.param(lambda d: (d - 550) / 100, 0, None, "guessed", id="standardized in the brain, 0 around it"),
    ],
)
def test_a_constant_background_is_believed_only_where_tissue_lies_above_it(parts, change, background, expected, origin):
    data, _, brain = parts
    changed = np.where(brain, change(data), background).astype(np.float32)
    zero = found_zero(changed, brain)
    assert zero.origin == origin
    # Fluid is taken for 0.13 of white matter, and has 0.29 of it here.
    assert zero.value == pytest.approx(-5.5 + 1.3 if expected is None else expected, abs=0.3)


def test_noise_as_bright_as_tissue_is_no_zero_point(parts):
    data, mask, _ = parts
    noise = np.random.default_rng(0).uniform(0, 0.6 * WHITE, data.shape)
    zero = found_zero(np.where(mask, data, noise).astype(np.float32), mask)
    assert (zero.value, zero.origin) == (0.0, "assumed")


def test_a_head_that_fills_the_field_of_view_has_its_zero_at_0(parts):
    data = parts[0][16:32, 18:38, 20:40]
    zero = found_zero(data, data > 300)
    assert (zero.value, zero.origin) == (0.0, "assumed")


def test_a_value_enclosed_by_tissue_is_not_erased():
    data = np.zeros((20, 20, 20), np.float32)
    data[4:16, 4:16, 4:16] = 1
    data[9, 9, 9] = 0
    data[4, 9, 9] = 0  # open to the outside
    head = np.zeros(data.shape, bool)
    head[4:16, 4:16, 4:16] = True

    erased = erased_voxels(data, head, 0.0)

    assert not erased[9, 9, 9]
    assert erased[4, 9, 9]
    assert erased[~head].all()


def test_a_head_that_fills_the_field_of_view_has_nothing_erased():
    data = np.ones((8, 8, 8), np.float32)
    data[0, 0, 0] = 0

    assert not erased_voxels(data, np.ones(data.shape, bool), 0.0).any()
    assert not erased_voxels(data, np.zeros(data.shape, bool), None).any()


def test_the_commonest_value_at_the_border_is_a_background_wherever_it_lies_among_the_others():
    data = np.random.default_rng(0).normal(0, 1, (20, 20, 20)).astype(np.float32)
    data[:, :, :5] = 0.25
    assert constant_background(data) == 0.25
    assert constant_background(data[:, :, 5:]) is None


@pytest.mark.parametrize("has_marker", [False, True], ids=["clipped", "clipped, but for one voxel"])
def test_where_intensities_are_cut_off_is_no_background(parts, has_marker):
    data, _, _ = parts
    clipped = np.minimum(data, 300)  # more than 5 % of the voxels, also at the border
    clipped[:, :, 0] = 300
    clipped[24, 28, 30] = 900 if has_marker else 300
    assert (clipped == 300).mean() > 0.05
    assert constant_background(clipped) is None
