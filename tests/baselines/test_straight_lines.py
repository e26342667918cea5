"""Straight lines against intensity-normalization, scikit-learn, scikit-image and the statistics they match."""

import numpy as np
import pytest
from scipy import stats
from skimage.exposure import rescale_intensity
from sklearn.preprocessing import minmax_scale

from hail_mri.baselines.do_nothing import rescale, robust_scale, white_matter_intensity
from hail_mri.baselines.min_max import match_min_max
from hail_mri.baselines.white_stripe import match_white_stripe
from hail_mri.baselines.z_score import match_z_score
from hail_mri.errors import InputError
from hail_mri.image.volume import Volume

METHODS = [rescale, match_min_max, match_z_score, match_white_stripe]
MASKED = [match_z_score, match_white_stripe]

# intensity-normalization 3.0.1 on `source` and `target` with their heads as masks: mean and standard deviation.
Z_SCORE_OF_TARGET = (1901.6560777439215, 897.3671267100917)
Z_SCORES = {681.4462280273438: 0.7716192792454394, 341.41839599609375: -1.638207610400163}  # intensity: z-score
STRIPES = ((701.3416402357603, 3.7247667626321084), (2798.921957788712, 9.050536326243126))


def head_of(volume):
    return volume.data != 0


def line_of(source, result):
    """Return slope and offset, and that it is one line."""
    fit = stats.linregress(source.data.ravel(), result.data.ravel())
    assert fit.rvalue == pytest.approx(1, abs=1e-6)
    return fit.slope, fit.intercept


def test_min_max_agrees_with_scikit_learn_and_scikit_image(source, target):
    found = match_min_max(source, target).data
    low, high = float(target.data.min()), float(target.data.max())
    expected = minmax_scale(source.data.ravel().astype(float), (low, high)).reshape(source.shape)
    np.testing.assert_allclose(found, expected, atol=1e-2)
    np.testing.assert_allclose(found, rescale_intensity(source.data, out_range=(low, high)), atol=1e-2)


def test_z_score_agrees_with_intensity_normalization(source, target):
    found = match_z_score(source, target).data
    mean, deviation = Z_SCORE_OF_TARGET
    for intensity, z_score in Z_SCORES.items():
        assert found[source.data == np.float32(intensity)] == pytest.approx(mean + deviation * z_score, rel=1e-5)


def test_z_score_agrees_with_scipys_z_scores_in_the_head(source, target):
    found, head = match_z_score(source, target).data, head_of(source)
    in_target = target.data[head_of(target)].astype(float)
    expected = in_target.mean() + in_target.std() * stats.zscore(source.data[head].astype(float))
    np.testing.assert_allclose(found[head], expected, atol=2e-3)  # of 3000, in float32


def test_white_stripe_agrees_with_intensity_normalization(source, target):
    # Its peak is that of a kernel density and ours that of a smoothed histogram: some intensities apart.
    result = match_white_stripe(source, target, source_mask=head_of(source), target_mask=head_of(target))
    (mean, deviation), (target_mean, target_deviation) = STRIPES
    slope, offset = line_of(source, result)
    assert slope == pytest.approx(target_deviation / deviation, rel=0.02)
    assert slope * mean + offset == pytest.approx(target_mean, rel=0.005)


def test_white_stripe_brings_white_matter_to_the_targets(make_head):
    signal, other = (0, 900, 120, 200, 500, 700), (0, 3000, 300, 500, 1400, 2000)  # white matter is the last
    source, target = make_head(signal=signal), make_head(signal=other, noise=30, shape=(40, 46, 44))
    slope, offset = line_of(source, match_white_stripe(source, target))  # the scalp is brighter, and not taken
    assert slope * 700 + offset == pytest.approx(2000, rel=0.01)


def test_stripe_is_the_brightest_tissue_of_a_brain_and_its_noise_sets_the_slope():
    rng = np.random.default_rng(0)
    brains = []
    for tissues, noise in (((500, 700), (30, 20)), ((1400, 2000), (90, 60))):
        voxels = np.concatenate([rng.normal(mean, sd, 6000) for mean, sd in zip(tissues, noise, strict=True)])
        brains.append(Volume(voxels.reshape(20, 20, 30), np.eye(4)))
    everywhere = np.ones((20, 20, 30), bool)
    result = match_white_stripe(*brains, source_mask=everywhere, target_mask=everywhere)
    slope, offset = line_of(brains[0], result)
    assert slope * 700 + offset == pytest.approx(2000, rel=0.01)
    assert slope == pytest.approx(60 / 20, rel=0.1)


def test_doing_nothing_brings_air_and_white_matter_to_the_targets(make_head):
    source, target = make_head(), make_head(signal=(0, 3000, 300, 500, 1400, 2000), noise=30)
    result = rescale(source, target)
    assert (result.data[source.data == 0] == 0).all()
    assert white_matter_intensity(result) == pytest.approx(white_matter_intensity(target), rel=1e-5)
    assert robust_scale(result).high == pytest.approx(robust_scale(target).high, rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_result_is_one_line_of_the_source_on_its_grid_and_nothing_is_mutated(source, target, method):
    before = source.data.copy(), target.data.copy()
    result = method(source, target)
    assert line_of(source, result)[0] > 0
    assert result.grid.is_close(source.grid)
    np.testing.assert_array_equal(source.data, before[0])
    np.testing.assert_array_equal(target.data, before[1])


@pytest.mark.parametrize("method", METHODS)
def test_target_equal_to_source_returns_the_source(source, method):
    np.testing.assert_allclose(method(source, source).data, source.data, atol=1e-4 * np.ptp(source.data))


@pytest.mark.parametrize("method", [match_min_max, *MASKED])
def test_unit_of_the_source_does_not_matter(source, target, method):
    other = source.with_data(source.data * 7 + 30) if method is match_min_max else source.with_data(source.data * 7)
    np.testing.assert_allclose(method(other, target).data, method(source, target).data, atol=0.5)


@pytest.mark.parametrize("method", METHODS)
def test_flipped_source_gives_the_flipped_result(source, target, method):
    flipped = method(source.with_data(source.data[::-1]), target)
    np.testing.assert_allclose(flipped.data[::-1], method(source, target).data, rtol=1e-3, atol=2)


@pytest.mark.parametrize("method", MASKED)
@pytest.mark.parametrize(
    ("masks", "message"),
    [
        pytest.param({"source_mask": np.ones((3, 3, 3), bool)}, "the mask has the shape", id="other shape"),
        pytest.param({"target_mask": np.zeros((48, 44, 52), bool)}, "the mask is empty", id="empty"),
    ],
)
def test_masks_that_do_not_fit_are_refused(source, target, method, masks, message):
    with pytest.raises(InputError, match=message) as caught:
        method(source, target, **masks)
    assert caught.value.hint


@pytest.mark.parametrize("method", [match_min_max, *MASKED])
def test_constant_scan_is_refused(source, method):
    constant = source.with_data(np.full(source.shape, 5.0))
    masks = {} if method is match_min_max else {"target_mask": np.ones(source.shape, bool)}
    with pytest.raises(InputError, match=r"constant|two different intensities"):
        method(source, constant, **masks)
