"""The head mask on synthetic heads, whose true outline is known."""

import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask


def ellipsoid(shape, spacing, radii, centre=(0.0, 0.0, 0.0)):
    """Voxels inside an ellipsoid with radii in mm; its centre in mm from the middle of the grid."""
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    parts = [((x - (n - 1) / 2) * s - c) / r for x, n, s, c, r in zip(axes, shape, spacing, centre, radii, strict=True)]
    return sum(part**2 for part in parts) <= 1


def synthetic_head(shape=(90, 110, 100), spacing=(2.0, 2.0, 2.0), centre=(0.0, 0.0, 0.0), noise=0.0, seed=0):
    """Scalp, dark skull, brain and black ventricles under a receive field, with Rician noise; and the true head."""
    head = ellipsoid(shape, spacing, (70, 90, 80), centre)
    skull = ellipsoid(shape, spacing, (65, 85, 75), centre)
    brain = ellipsoid(shape, spacing, (58, 78, 68), centre)
    ventricles = ellipsoid(shape, spacing, (10, 25, 12), centre)
    signal = np.select([ventricles, brain, skull, head], [40.0, 400.0, 10.0, 700.0], 0.0)
    signal = signal * np.linspace(0.6, 1.4, shape[2])
    rng = np.random.default_rng(seed)
    real, imaginary = rng.normal(0, 1, (2, *shape)) * noise
    return Volume(np.hypot(signal + real, imaginary), np.diag([*spacing, 1.0])), head


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="no noise"),
        pytest.param({"noise": 20.0}, id="noise of 5 percent"),
        pytest.param({"noise": 60.0}, id="noise of 15 percent"),
        pytest.param({"noise": 20.0, "spacing": (0.9, 0.9, 3.0), "shape": (180, 220, 64)}, id="3 mm slices"),
        pytest.param(
            {"noise": 20.0, "spacing": (4.0, 4.0, 6.0), "shape": (45, 55, 33)}, id="coarser than the mask's grid"
        ),
        pytest.param({"noise": 20.0, "centre": (0.0, 0.0, -60.0)}, id="cut below the ears"),
        pytest.param({"noise": 20.0, "centre": (40.0, 0.0, -60.0)}, id="cut at two borders"),
    ],
)
def test_mask_covers_the_head_and_its_dark_parts(settings):
    volume, head = synthetic_head(**settings)
    assert dice(head_mask(volume), head) > 0.95


def test_skull_and_ventricles_are_inside_the_mask():
    volume, head = synthetic_head(noise=20.0)
    inside = ellipsoid(volume.shape, volume.spacing, (66, 86, 76))
    assert head_mask(volume)[inside & head].all()


def test_skull_stripped_scan_gives_exactly_its_nonzero_voxels_without_holes():
    volume, _ = synthetic_head(noise=20.0)
    brain = ellipsoid(volume.shape, volume.spacing, (58, 78, 68))
    hole = ellipsoid(volume.shape, volume.spacing, (10, 10, 10))
    stripped = volume.with_data(np.where(brain & ~hole, volume.data + 1, 0))
    np.testing.assert_array_equal(head_mask(stripped), brain)


def test_standardised_brain_with_negative_intensities_is_found():
    volume, _ = synthetic_head(noise=20.0)
    brain = ellipsoid(volume.shape, volume.spacing, (58, 78, 68))
    standardised = (volume.data - volume.data[brain].mean()) / volume.data[brain].std()
    np.testing.assert_array_equal(head_mask(volume.with_data(np.where(brain, standardised, 0))), brain)


def test_removed_face_is_no_head_although_the_background_is_noisy():
    volume, head = synthetic_head(noise=20.0)
    erased = np.zeros(volume.shape, dtype=bool)
    erased[:, 70:, :40] = True
    mask = head_mask(volume.with_data(np.where(erased, 0, volume.data)))
    assert dice(mask, head & ~erased) > 0.95
    assert np.count_nonzero(mask & erased) < 0.1 * np.count_nonzero(head & erased)


def test_bright_spot_apart_from_the_head_is_left_out():
    volume, head = synthetic_head(noise=20.0)
    data = volume.data.copy()
    data[:6, :6, :6] = 3000
    mask = head_mask(volume.with_data(data))
    assert not mask[:8, :8, :8].any()
    assert dice(mask, head) > 0.95


def test_unit_of_the_scan_does_not_matter():
    volume, _ = synthetic_head(noise=20.0)
    np.testing.assert_array_equal(head_mask(volume.with_data(volume.data * 64)), head_mask(volume))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(90, 110, 100), (91, 113, 97)], ids=["even", "odd"])
def test_mask_of_a_flipped_scan_is_the_flipped_mask(axis, shape):
    volume, _ = synthetic_head(shape=shape, noise=20.0)
    flipped = head_mask(volume.with_data(np.flip(volume.data, axis)))
    assert np.count_nonzero(np.flip(flipped, axis) != head_mask(volume)) <= 1e-4 * flipped.sum()


def test_mask_of_a_scan_with_other_axis_order_is_the_reordered_mask():
    volume, _ = synthetic_head(noise=20.0)
    reordered = Volume(volume.data.transpose(2, 0, 1), np.diag([2.0, 2.0, 2.0, 1.0]))
    difference = head_mask(reordered).transpose(1, 2, 0) != head_mask(volume)
    assert np.count_nonzero(difference) <= 1e-4 * difference.size


def test_second_run_gives_the_same_mask_and_the_scan_is_left_alone():
    volume, _ = synthetic_head(noise=20.0)
    before = volume.data.copy()
    np.testing.assert_array_equal(head_mask(volume), head_mask(volume))
    np.testing.assert_array_equal(volume.data, before)


def test_scan_of_nothing_is_refused():
    with pytest.raises(InputError, match="no head found"):
        head_mask(Volume(np.full((20, 20, 20), 7.0), np.eye(4)))
