"""The baselines against scikit-image, SimpleITK and the identities of quantiles."""

import numpy as np
import pytest
from skimage.exposure import match_histograms

from hail_mri.baselines.histogram import match_histogram_exact, match_histogram_simpleitk
from hail_mri.errors import InputError
from hail_mri.evaluation.wasserstein import nwd

METHODS = [match_histogram_exact, match_histogram_simpleitk]


def test_exact_matching_gives_the_heads_one_histogram(source, target):
    matched = match_histogram_exact(source, target)
    levels = np.linspace(0.001, 0.999, 200)
    in_head, in_target = matched.data[source.data != 0], target.data[target.data != 0]
    np.testing.assert_allclose(np.quantile(in_head, levels), np.quantile(in_target, levels), rtol=5e-3)
    moved = nwd(source.data[source.data != 0], in_target, in_head)
    assert moved.ip == pytest.approx(100, abs=1)
    assert moved.tp < 0.1


def test_kth_smallest_becomes_the_targets_kth_smallest_when_there_are_as_many(source):
    other = source.with_data(np.random.default_rng(5).permutation(source.data.ravel() ** 2).reshape(source.shape))
    mask = source.data != 0
    matched = match_histogram_exact(source, other, source_mask=mask, target_mask=other.data != 0)
    np.testing.assert_allclose(matched.data[mask], source.data[mask] ** 2, rtol=1e-5)


def test_exact_matching_agrees_with_scikit_image(source, target):
    whole, other_whole = np.ones(source.shape, bool), np.ones(target.shape, bool)
    matched = match_histogram_exact(source, target, source_mask=whole, target_mask=other_whole)
    in_head = source.data != 0
    expected = match_histograms(source.data, target.data)[in_head]
    # scikit-image takes the upper rank of ties and we the middle one: they differ by half a voxel's rank.
    assert np.quantile(np.abs(matched.data[in_head] - expected), 0.99) < 0.01 * np.ptp(target.data)


def test_equal_intensities_stay_equal_and_order_is_kept(source, target):
    coarse = source.with_data(np.round(source.data / 40) * 40)
    matched = match_histogram_exact(coarse, target, source_mask=source.data != 0)
    pairs = np.unique(np.stack([coarse.data[source.data != 0], matched.data[source.data != 0]]), axis=1)
    assert len(np.unique(pairs[0])) == pairs.shape[1]
    assert (np.diff(pairs[1]) >= 0).all()


def test_air_is_scaled_by_one_factor_and_zero_stays_zero(source, target):
    data = source.data.copy()
    data[0] = np.linspace(0, 40, data[0].size).reshape(data[0].shape)
    matched = match_histogram_exact(source.with_data(data), target, source_mask=source.data != 0)
    ratios = matched.data[0].ravel()[1:] / data[0].ravel()[1:]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-5)
    assert ratios[0] > 1
    assert (matched.data[-1] == 0).all()


def test_target_equal_to_source_returns_the_source(source):
    np.testing.assert_allclose(match_histogram_exact(source, source).data, source.data, atol=1e-4 * np.ptp(source.data))


def test_simpleitk_matching_brings_the_histogram_closer(source, target):
    matched = match_histogram_simpleitk(source, target)
    assert nwd(*(volume.data[volume.data != 0] for volume in (source, target, matched))).tp < 20


def test_simpleitk_matching_agrees_with_its_procedural_form(source, target):
    sitk = pytest.importorskip("SimpleITK")
    images = [sitk.GetImageFromArray(v.data) for v in (source, target)]
    expected = sitk.HistogramMatching(*images, numberOfHistogramLevels=1024, numberOfMatchPoints=7)
    np.testing.assert_array_equal(match_histogram_simpleitk(source, target).data, sitk.GetArrayFromImage(expected))


@pytest.mark.parametrize("method", METHODS)
def test_grid_is_the_sources_and_nothing_is_changed_in_place(source, target, method):
    before = source.data.copy(), target.data.copy()
    matched = method(source, target)
    assert matched.grid.is_close(source.grid)
    np.testing.assert_array_equal(matched.data, method(source, target).data)
    np.testing.assert_array_equal(source.data, before[0])
    np.testing.assert_array_equal(target.data, before[1])


@pytest.mark.parametrize("method", METHODS)
def test_matching_a_flipped_source_is_flipping_the_matched(source, target, method):
    flipped = method(source.with_data(source.data[::-1]), target)
    np.testing.assert_allclose(flipped.data[::-1], method(source, target).data, rtol=1e-5, atol=1e-3)


def test_masks_of_another_shape_or_empty_are_refused(source, target):
    with pytest.raises(InputError, match="shape"):
        match_histogram_exact(source, target, source_mask=np.ones((3, 3, 3), bool))
    with pytest.raises(InputError, match="empty"):
        match_histogram_exact(source, target, target_mask=np.zeros(target.shape, bool))
