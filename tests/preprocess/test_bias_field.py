import os

import numpy as np
import pytest
import SimpleITK as sitk

from hail_mri.errors import InputError
from hail_mri.image.volume import Volume
from hail_mri.preprocess.bias_field import BiasField, estimate_bias_field, kept_bias_field
from hail_mri.preprocess.cache import EstimateCache
from hail_mri.preprocess.prepare import prepare


@pytest.fixture(scope="module", autouse=True)
def coarser():
    """Let N4 work on a coarser grid, where the same laws hold and it takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hail_mri.preprocess.bias_field.SPACING", 12.0)
        patch.setattr("hail_mri.preprocess.bias_field.DEPTH", 30.0)
        yield


def slope_of(volume, strength=0.3):
    """A field that grows from left to right, by a factor of exp(+-strength) over the field of view."""
    ramp = np.linspace(-strength, strength, volume.shape[0], dtype=np.float32)
    return np.exp(np.broadcast_to(ramp[:, None, None], volume.shape))


@pytest.fixture(scope="module")
def flat(simulated_scan):
    """Return the prepared scan without what N4 finds in it: a head with no bias field but its tissues."""
    return prepare(simulated_scan, spacing=4.0, stride=1)


@pytest.fixture(scope="module")
def own(flat):
    return estimate_bias_field(flat.canonical, flat.head)


def test_a_field_that_was_put_on_a_scan_is_found(flat, own):
    slope = slope_of(flat.canonical)
    found = estimate_bias_field(flat.canonical.with_data(flat.canonical.data * slope), flat.head)
    added = np.log(found.factor() / own.factor())[flat.head]
    expected = np.log(slope)[flat.head]
    assert np.corrcoef(added, expected)[0, 1] > 0.98
    assert np.polyfit(expected, added, 1)[0] == pytest.approx(1, abs=0.1)


def test_the_brain_keeps_its_units(flat, own):
    brighter = estimate_bias_field(flat.canonical.with_data(flat.canonical.data * 50), flat.head)
    np.testing.assert_allclose(brighter.log, own.log, atol=2e-3)
    middle = tuple(slice(n // 3, 2 * n // 3) for n in own.log.shape)
    assert abs(float(own.log[middle].mean())) < 0.3


def test_a_zero_point_that_is_not_0_changes_nothing(flat, own):
    offset = flat.canonical.with_data(flat.canonical.data - np.float32(1024))
    found = estimate_bias_field(offset, flat.head, zero=-1024.0)
    np.testing.assert_allclose(found.log, own.log, atol=0.02)


def test_the_same_scan_has_the_same_field(flat, own):
    np.testing.assert_array_equal(estimate_bias_field(flat.canonical, flat.head).log, own.log)


def test_the_field_of_a_scan_with_oblique_axes_is_that_of_the_upright_scan(flat, own):
    turned = Volume(flat.canonical.data, np.array([[1.9, 0.6, 0, 1], [-0.6, 1.9, 0, 2], [0, 0, 2, 3], [0, 0, 0, 1.0]]))
    found = estimate_bias_field(turned, flat.head)
    assert np.corrcoef(found.log.ravel(), own.log.ravel())[0, 1] > 0.99


def test_the_factor_lies_on_the_scans_own_grid_and_is_above_0(flat, own):
    factor = own.factor()
    assert factor.shape == flat.canonical.shape
    assert factor.min() > 0


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        pytest.param(np.zeros_like, "mask for the bias field is empty", id="empty mask"),
        pytest.param(lambda head: head[1:], "shape", id="mask of another grid"),
    ],
)
def test_masks_that_cannot_be_are_refused(flat, mask, message):
    with pytest.raises(InputError, match=message):
        estimate_bias_field(flat.canonical, mask(flat.head))


def test_a_scan_of_nothing_is_refused(flat):
    with pytest.raises(InputError, match="brighter than the background"):
        estimate_bias_field(flat.canonical.with_data(np.zeros(flat.canonical.shape)), flat.head)


def test_a_field_is_estimated_once(flat, tmp_path, monkeypatch):
    first = kept_bias_field(flat, EstimateCache(tmp_path))
    monkeypatch.setattr("hail_mri.preprocess.bias_field.estimate_bias_field", lambda *_, **__: pytest.fail("again"))
    again = kept_bias_field(flat, EstimateCache(tmp_path))
    assert isinstance(again, BiasField)
    np.testing.assert_array_equal(again.log, first.log)
    assert again.log.shape == (16, 20, 21)  # every sixth voxel


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are bound to cores on Linux alone")
def test_a_field_is_the_same_on_one_core_and_on_all(flat, own):
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(cores)})
        on_one = estimate_bias_field(flat.canonical, flat.head)
    finally:
        os.sched_setaffinity(0, cores)
    np.testing.assert_array_equal(on_one.log, own.log)


def test_a_field_is_the_same_whatever_number_of_threads_itk_is_given(flat, own):
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    try:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(5)
        found = estimate_bias_field(flat.canonical, flat.head)
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 5
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    np.testing.assert_array_equal(found.log, own.log)


@pytest.fixture(scope="module")
def lesion(flat):
    """A ball of 25 mm in the white matter of one side, on the canonical grid."""
    i, j, k = np.indices(flat.canonical.shape)
    centre = np.array(flat.canonical.shape) / 2 + [11, 4, 16]
    return 2.0 * np.sqrt((i - centre[0]) ** 2 + (j - centre[1]) ** 2 + (k - centre[2]) ** 2) < 25


@pytest.mark.parametrize("factor", [pytest.param(2.0, id="bright"), pytest.param(0.4, id="dark")])
def test_a_lesion_that_is_left_out_is_not_taken_for_bias(flat, own, visit, lesion, factor):
    true = visit.site.receive_strength * visit.receive_field.on_grid(flat.canonical.shape, visit.head.affine).numpy()
    spoilt = flat.canonical.with_data(np.where(lesion, factor * flat.canonical.data, flat.canonical.data))
    fields = {"healthy": own} | {
        name: estimate_bias_field(spoilt, flat.head, left_out=left_out)
        for name, left_out in (("seen", None), ("left out", lesion))
    }
    off = {}
    for name, field in fields.items():
        error = np.log(field.factor()) - true
        error -= error[flat.head & ~lesion].mean()  # units are the scan's own
        off[name] = np.sqrt((error[lesion] ** 2).mean())
    assert off["left out"] < off["seen"]
    assert off["left out"] - off["healthy"] < 0.5 * (off["seen"] - off["healthy"])


def test_a_field_is_kept_by_the_lesion_it_leaves_out(flat, lesion, tmp_path):
    cache = EstimateCache(tmp_path)
    mask = flat.canonical.with_data(lesion)
    healthy, masked = (kept_bias_field(flat, cache, lesion=given) for given in (None, mask))
    assert not np.array_equal(healthy.log, masked.log)
    moved = flat.canonical.with_data(np.roll(lesion, 10, axis=0))
    assert len(list(tmp_path.iterdir())) == 2
    np.testing.assert_array_equal(kept_bias_field(flat, cache, lesion=mask).log, masked.log)
    assert len(list(tmp_path.iterdir())) == 2
    kept_bias_field(flat, cache, lesion=moved)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_lesion_on_another_grid_is_refused(flat, lesion):
    with pytest.raises(InputError, match="shape"):
        estimate_bias_field(flat.canonical, flat.head, left_out=lesion[1:])


def test_a_lesion_that_leaves_nothing_is_refused(flat):
    with pytest.raises(InputError, match="brighter than the background"):
        estimate_bias_field(flat.canonical, flat.head, left_out=flat.head)
