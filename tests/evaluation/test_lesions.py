import numpy as np
import pytest
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.evaluation.lesions import lesion_change, lesion_changes, share_of_lesions
from hail_mri.image.marked_region import GAP, REACH

SHAPE, SPACING = (40, 44, 36), (1.0, 1.0, 1.2)


@pytest.fixture
def scan():
    """A brain of one tissue in noise, with a dark ball in it."""
    places = np.moveaxis(np.indices(SHAPE), 0, -1) * SPACING
    distance = np.linalg.norm(places - [20, 22, 21], axis=-1)
    lesion, brain = distance < 5, distance < 18
    volume = np.where(brain, 100.0, 0.0) - 30 * ndimage.gaussian_filter(lesion.astype(float), 0.7)
    return volume + np.random.default_rng(0).normal(0, 2, SHAPE), lesion, brain


def change(source, result, lesion, brain):
    return lesion_change(source, result, lesion=lesion, brain=brain, spacing=SPACING)


def test_contrast_to_noise_is_that_of_its_formula(scan):
    source, lesion, brain = scan
    distance = ndimage.distance_transform_edt(~lesion, sampling=SPACING)
    around = brain & (distance > GAP) & (distance <= REACH)
    expected = (source[lesion].mean() - source[around].mean()) / source[around].std()
    found = change(source, source, lesion, brain)
    assert found.contrast_before.value == pytest.approx(expected)
    assert found.contrast_after.value == pytest.approx(expected)


def test_another_unit_and_another_zero_change_nothing(scan):
    source, lesion, brain = scan
    found = change(source, 0.01 * source + 7, lesion, brain)
    assert found.contrast_after.value == pytest.approx(found.contrast_before.value)
    assert (found.sharpness.value, found.volume.value) == (pytest.approx(100), 100.0)
    assert (found.overlap.value, found.shift.value) == (1.0, 0.0)


def test_a_blurred_result_is_told_by_its_edge(scan):
    source, lesion, brain = scan
    found = change(source, ndimage.gaussian_filter(source, 2.0), lesion, brain)
    assert found.sharpness.value < 80


def test_a_lesion_that_turned_bright_is_told(scan):
    source, lesion, brain = scan
    found = change(source, 200 - source, lesion, brain)
    assert found.is_reversed
    assert not change(source, source, lesion, brain).is_reversed


def test_a_lesion_that_moved_is_told_by_how_far(scan):
    source, lesion, brain = scan
    found = change(source, np.roll(source, 2, axis=0), lesion, brain)
    assert found.shift.value == pytest.approx(2, abs=0.4)
    assert found.overlap.value < 0.9


def test_a_lesion_that_shrank_is_told_by_its_volume(scan):
    source, lesion, brain = scan
    result = source.copy()
    core = ndimage.binary_erosion(lesion, iterations=2)
    result[lesion & ~core] = 100
    assert change(source, result, lesion, brain).volume.value < 60


def test_what_is_found_of_a_lesion_has_its_volume(scan):
    source, lesion, brain = scan
    found = change(source, 2 * source, lesion, brain)
    assert found.found_before.value == found.found_after.value
    assert found.found_before.value == pytest.approx(lesion.sum() * 1.2 / 1000, rel=0.1)


def noisy(volume, lesion, level, seed=3):
    """Fill a lesion with a level in noise."""
    return np.where(lesion, level + np.random.default_rng(seed).normal(0, 2, SHAPE), volume)


@pytest.mark.parametrize("seed", range(5))
def test_of_a_lesion_that_was_erased_nothing_is_found_in_noise(scan, seed):
    source, lesion, brain = scan
    wide = ndimage.binary_dilation(lesion, iterations=2)
    found = change(source, noisy(source, wide, 100, seed), lesion, brain)
    assert abs(found.contrast_after.value) < 0.5
    assert (found.volume.value, found.overlap.value, found.found_after.value) == (0, 0, 0)
    assert found.is_erased
    for number in (found.sharpness, found.shift, found.reversal):
        assert number.reason == "the result does not show the lesion"


@pytest.mark.parametrize("seed", range(5))
def test_a_lesion_that_the_source_hides_in_noise_has_a_contrast_and_nothing_else(scan, seed):
    source, lesion, brain = scan
    hidden = noisy(source, ndimage.binary_dilation(lesion, iterations=2), 100, seed)
    found = change(hidden, source, lesion, brain)
    assert abs(found.contrast_before.value) < 0.5
    assert found.contrast_after.value < -3
    for number in (found.sharpness, found.volume, found.overlap, found.shift, found.found_before, found.reversal):
        assert number.reason == "the source does not show the lesion"
    assert not found.is_erased


def test_of_few_voxels_noise_is_not_taken_for_a_lesion(scan):
    source, lesion, brain = scan
    rng = np.random.default_rng(5)
    places = rng.permutation(
        np.argwhere(ndimage.binary_erosion(brain, iterations=3) & ~ndimage.binary_dilation(lesion))
    )
    shown = 0
    for place in places[:200]:
        single = np.zeros(SHAPE, bool)
        single[tuple(place)] = True
        shown += change(source, source, single, brain & ~lesion | single).volume.value is not None
    assert shown <= 4  # beyond three standard deviations; 123 are beyond half a one


def test_each_lesion_is_counted_by_itself(scan):
    source, lesion, brain = scan
    small = np.zeros(SHAPE, bool)
    small[30:32, 22:24, 20:22] = True
    both = noisy(source, small, 70)
    changes = list(lesion_changes(both, noisy(both, small, 130), lesions=lesion | small, brain=brain, spacing=SPACING))
    assert [each.is_reversed for each in changes] == [False, True]
    assert not change(both, noisy(both, small, 130), lesion | small, brain).is_reversed
    assert share_of_lesions(changes, lambda each: each.is_reversed).value == 0.5
    assert share_of_lesions(changes, lambda each: each.is_erased).value == 0
    assert "shows no lesion" in share_of_lesions([], lambda each: each.is_erased).reason


@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 1, 0)])
def test_the_order_of_the_axes_does_not_matter(scan, axes):
    source, lesion, brain = scan
    result = ndimage.gaussian_filter(source, 1.0)
    turned = [np.transpose(a, axes) for a in (source, result, lesion, brain)]
    one = change(source, result, lesion, brain)
    other = lesion_change(
        turned[0], turned[1], lesion=turned[2], brain=turned[3], spacing=[SPACING[axis] for axis in axes]
    )
    for name in ("contrast_after", "sharpness", "volume", "overlap", "shift"):
        assert getattr(other, name).value == pytest.approx(getattr(one, name).value, abs=1e-9)


def test_what_cannot_be_told_has_a_reason(scan):
    source, lesion, brain = scan
    assert "no brain around" in change(source, source, lesion, lesion).volume.reason
    flat = np.full(SHAPE, 3.0)
    assert "does not show" in change(flat, source, lesion, brain).volume.reason
    gone = change(source, flat, lesion, brain)
    assert gone.volume.value == 0
    assert "constant" in gone.contrast_after.reason


def test_an_empty_mask_and_a_spacing_that_is_none_are_refused(scan):
    source, lesion, brain = scan
    with pytest.raises(InputError, match="lesion mask"):
        change(source, source, np.zeros(SHAPE, bool), brain)
    with pytest.raises(InputError, match="spacing"):
        lesion_change(source, source, lesion=lesion, brain=brain, spacing=(1, 0, 1))
