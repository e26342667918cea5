"""Nyúl's landmarks against intensity-normalization, TorchIO, NumPy with SciPy, and what a standard scale must be."""

import numpy as np
import pytest
from scipy.interpolate import interp1d

from hail_mri.baselines.nyul import PERCENTILES, match_nyul_landmarks
from hail_mri.errors import InputError
from hail_mri.image.volume import Volume

# intensity-normalization 3.0.1, NyulNormalizer, trained on `target`, or on it and the scan of `of_same_site`, with
# heads as masks and the first and last percentile of `target` as output range: source intensity, result.
BY_TARGET = {681.4462280273438: 2753.8827, 695.0049438476562: 2786.4984, 341.41839599609375: 867.3192, 0.0: 409.5809}
BY_SITE = {681.4462280273438: 2714.5584, 695.0049438476562: 2754.6393, 341.41839599609375: 973.3076, 0.0: 108.68377}


@pytest.fixture
def of_same_site(make_shells):
    return make_shells((40, 48, 50), 2, tissues=(310.0, 500.0, 720.0), noise=20.0)


def landmarks_of(scan):
    return np.percentile(scan.data[scan.data != 0].astype(float), PERCENTILES)


@pytest.mark.parametrize(("is_of_site", "expected"), [(False, BY_TARGET), (True, BY_SITE)], ids=["target", "site"])
def test_result_agrees_with_intensity_normalization(source, target, of_same_site, is_of_site, expected):
    found = match_nyul_landmarks(source, target, trained_with=[of_same_site] if is_of_site else []).data
    for intensity, result in expected.items():
        np.testing.assert_allclose(found[source.data == np.float32(intensity)], result, rtol=1e-6)


def test_result_agrees_with_numpys_percentiles_and_scipys_lines(source, target):
    line = interp1d(landmarks_of(source), landmarks_of(target), bounds_error=False, fill_value="extrapolate")
    found = match_nyul_landmarks(source, target).data
    np.testing.assert_allclose(found, line(source.data.astype(float)), rtol=1e-5, atol=1e-2)


def test_result_is_that_of_torchio_but_for_its_quartiles(source, target, tmp_path):
    tio = pytest.importorskip("torchio")
    torch = pytest.importorskip("torch")
    images = [tio.ScalarImage(tensor=torch.from_numpy(scan.data.copy())[None]) for scan in (source, target)]
    images[1].save(tmp_path / "target.nii")
    landmarks = tio.HistogramStandardization.train(
        [tmp_path / "target.nii"], masking_function=lambda x: x != 0, progress=False
    )
    standardize = tio.HistogramStandardization({"scan": landmarks}, masking_method=lambda x: x != 0)
    theirs = standardize(tio.Subject(scan=images[0])).scan.numpy()[0]
    head, span = source.data != 0, landmarks_of(target)[[0, -1]]
    expected = span[0] + theirs[head] / 100 * np.diff(span)  # TorchIO's scale is 0 to 100
    ours = match_nyul_landmarks(source, target).data[head]
    assert np.quantile(np.abs(ours - expected), 0.9) < 0.02 * np.ptp(span)
    assert np.median(np.abs(ours - expected)) < 0.005 * np.ptp(span)


def test_landmarks_become_the_targets(source, target):
    result = match_nyul_landmarks(source, target)
    head = source.data != 0
    found = np.percentile(result.data[head], PERCENTILES)
    np.testing.assert_allclose(found, landmarks_of(target), rtol=1e-3)


def test_scale_of_the_pair_lies_between_both(source, target):
    alone, pair = match_nyul_landmarks(source, target), match_nyul_landmarks(source, target, trained_with=[source])
    median_alone, median_pair = (np.median(result.data[source.data != 0]) for result in (alone, pair))
    places = landmarks_of(source)
    straight = np.interp(places[5], places[[0, -1]], landmarks_of(target)[[0, -1]])  # the source's own scale
    assert median_pair == pytest.approx((median_alone + straight) / 2, rel=1e-3)


def test_scans_of_the_site_may_be_in_other_units(source, target, of_same_site):
    other = of_same_site.with_data(of_same_site.data * 11)
    expected = match_nyul_landmarks(source, target, trained_with=[of_same_site]).data
    np.testing.assert_allclose(match_nyul_landmarks(source, target, trained_with=[other]).data, expected, rtol=1e-4)


def test_order_of_intensities_is_kept_and_nothing_is_mutated(source, target):
    before = source.data.copy()
    result = match_nyul_landmarks(source, target).data.ravel()[np.argsort(source.data, axis=None)]
    assert (np.diff(result) >= 0).all()
    np.testing.assert_array_equal(source.data, before)


def test_target_equal_to_source_returns_the_source(source):
    np.testing.assert_allclose(match_nyul_landmarks(source, source).data, source.data, atol=1e-3)


def test_landmarks_that_coincide_get_their_mean():
    source = Volume(np.repeat([1.0, 2.0, 3.0], 40).reshape(4, 5, 6), np.eye(4))
    target = Volume(np.arange(120.0).reshape(4, 5, 6), np.eye(4))
    everywhere = np.ones((4, 5, 6), bool)
    found = match_nyul_landmarks(source, target, source_mask=everywhere, target_mask=everywhere).data
    quantiles = np.percentile(target.data, PERCENTILES)
    expected = [quantiles[:4].mean(), quantiles[4:7].mean(), quantiles[7:].mean()]
    np.testing.assert_allclose(np.unique(found), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        pytest.param({"source_mask": np.ones((3, 3, 3), bool)}, "the mask has the shape", id="other shape"),
        pytest.param({"target_mask": np.zeros((48, 44, 52), bool)}, "the mask is empty", id="empty"),
    ],
)
def test_masks_that_do_not_fit_are_refused(source, target, masks, message):
    with pytest.raises(InputError, match=message) as caught:
        match_nyul_landmarks(source, target, **masks)
    assert caught.value.hint


def test_constant_head_is_refused(source):
    constant = source.with_data(np.full(source.shape, 5.0))
    with pytest.raises(InputError, match="the head is constant"):
        match_nyul_landmarks(source, constant, target_mask=np.ones(source.shape, bool))
