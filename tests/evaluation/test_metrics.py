"""Every metric against another program, against closed forms, and on what it must refuse."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from hail_mri.errors import InputError
from hail_mri.evaluation import ssim_map
from hail_mri.evaluation.metrics import nwd, psnr, ssim

SKIMAGE_SETTINGS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@pytest.fixture
def pair():
    """A smooth scan-like volume of unequal sides in scanner units, and a noisy, brighter version of it."""
    rng = np.random.default_rng(3)
    i, j, k = np.ogrid[0:23, 0:31, 0:40]
    truth = 400 * (1 + np.sin(i / 3) * np.cos(j / 4) * np.sin(k / 5)) + rng.normal(0, 20, (23, 31, 40))
    return (1.1 * truth + rng.normal(0, 40, truth.shape)).astype(np.float32), truth.astype(np.float32)


@pytest.fixture
def mask():
    """A slanted region that touches one border of the grid."""
    i, j, k = np.ogrid[0:23, 0:31, 0:40]
    return (i + j - k < 8) & (j > 4)


def test_psnr_agrees_with_skimage(pair):
    assert psnr(*pair, data_range=800) == pytest.approx(
        peak_signal_noise_ratio(pair[1].astype(float), pair[0].astype(float), data_range=800), abs=1e-9
    )


def test_ssim_agrees_with_skimage(pair):
    expected = structural_similarity(*(a.astype(float) for a in pair), data_range=800, **SKIMAGE_SETTINGS)
    assert ssim(*pair, data_range=800) == pytest.approx(expected, abs=1e-10)


def test_masked_ssim_agrees_with_the_mean_of_skimages_map(pair, mask):
    _, full = structural_similarity(*(a.astype(float) for a in pair), data_range=800, full=True, **SKIMAGE_SETTINGS)
    assert ssim(*pair, data_range=800, mask=mask) == pytest.approx(full[mask].mean(), abs=1e-10)


def test_ssim_agrees_with_monai(pair):
    torch = pytest.importorskip("torch")
    ssim_metric = pytest.importorskip("monai.metrics").SSIMMetric(spatial_dims=3, data_range=800.0)
    test, truth = (torch.from_numpy(a).double()[None, None] for a in pair)
    assert ssim(*pair, data_range=800) == pytest.approx(ssim_metric(test, truth).item(), abs=1e-5)


def test_ssim_of_constant_volumes_is_the_luminance_term():
    a, b, data_range = 30.0, 70.0, 100.0
    c1 = (0.01 * data_range) ** 2
    expected = (2 * a * b + c1) / (a**2 + b**2 + c1)
    assert ssim(np.full((12,) * 3, a), np.full((12,) * 3, b), data_range=data_range) == pytest.approx(
        expected, abs=1e-12
    )


@pytest.mark.parametrize("planes", [1, 7, 1000])
def test_thickness_of_the_slabs_does_not_change_ssim(pair, mask, planes, monkeypatch):
    expected = ssim(*pair, data_range=800, mask=mask)
    monkeypatch.setattr(ssim_map, "SLAB_PLANES", planes)
    assert ssim(*pair, data_range=800, mask=mask) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("is_masked", [False, True], ids=["everywhere", "in a mask"])
def test_order_of_the_axes_does_not_matter(pair, mask, order, is_masked):
    used, turned = (mask, mask.transpose(order)) if is_masked else (None, None)
    test, truth = (a.transpose(order) for a in pair)
    for metric in (psnr, ssim):
        value = metric(test, truth, data_range=800, mask=turned)
        assert value == pytest.approx(metric(*pair, data_range=800, mask=used), abs=1e-9)


@pytest.mark.parametrize("factor", [1e-3, 64.0])
def test_unit_does_not_matter_when_the_range_goes_along(pair, factor):
    test, truth = (a.astype(float) for a in pair)
    for metric in (psnr, ssim):
        value = metric(test * factor, truth * factor, data_range=800 * factor)
        assert value == pytest.approx(metric(test, truth, data_range=800), abs=1e-9)


def test_equal_volumes_are_perfect(pair, mask):
    truth = pair[1]
    assert psnr(truth, truth, data_range=800) == np.inf
    assert ssim(truth, truth, data_range=800, mask=mask) == pytest.approx(1, abs=1e-12)


def test_only_the_mask_counts_for_psnr(pair, mask):
    truth = pair[1]
    test = np.where(mask, truth + 8, -1e6)
    assert psnr(test, truth, data_range=800, mask=mask) == pytest.approx(40, abs=1e-4)


def test_integers_do_not_wrap_around():
    assert psnr(np.array([0, 10], np.uint8), np.array([10, 0], np.uint8), data_range=100) == pytest.approx(20)
    assert nwd(*(np.array([value], np.uint8) for value in (10, 0, 20))) == (100, 200)


samples = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=40)


@settings(deadline=None)
@given(samples, samples, samples)
def test_nwd_agrees_with_equation_1_by_scipy_on_any_numbers(source, target, harmonized):
    whole_way = wasserstein_distance(source, target)
    assume(whole_way > 1e-3)  # of a thousand: far above rounding
    expected = [100 * wasserstein_distance(end, harmonized) / whole_way for end in (source, target)]
    assert nwd(source, target, harmonized) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_nwd_agrees_with_scipy_on_many_voxels_with_ties():
    rng = np.random.default_rng(0)
    source, target = rng.normal(300, 90, 20_011).round(), rng.gamma(3, 80, 15_013).round()
    harmonized = rng.normal(250, 70, 17_029).round()
    expected = [wasserstein_distance(end, harmonized) for end in (source, target)]
    expected = [100 * distance / wasserstein_distance(source, target) for distance in expected]
    assert nwd(source, target, harmonized) == pytest.approx(expected, rel=1e-12)


def test_nwd_of_scans_exchanged_is_exchanged(pair):
    source, target = pair
    assert nwd(source, target, source + 30) == nwd(target, source, source + 30)[::-1]


def test_nwd_tells_how_much_of_the_way_was_gone(pair):
    source = pair[0].astype(float)
    assert nwd(source, source + 200, source + 150) == pytest.approx((75, 25))
    assert nwd(source, source + 200, source) == pytest.approx((0, 100))


def test_nwd_agrees_with_equation_1_by_scipy(pair):
    source, target = pair[0].ravel(), pair[1].ravel()[::3]
    harmonized = source * 0.95
    whole_way = wasserstein_distance(source, target)
    expected = (
        100 * wasserstein_distance(source, harmonized) / whole_way,
        100 * wasserstein_distance(target, harmonized) / whole_way,
    )
    assert nwd(source, target, harmonized) == pytest.approx(expected, rel=1e-6)


def test_nwd_is_nan_when_source_and_target_have_one_histogram(pair):
    source = pair[0]
    assert np.isnan(nwd(source, np.flip(source), source + 5)).all()


def test_arguments_are_left_alone(pair, mask):
    before = [a.copy() for a in pair]
    ssim(*pair, data_range=800, mask=mask)
    nwd(*pair, pair[0])
    for array, copy in zip(pair, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda a: psnr(a, a[1:], data_range=1), "shapes differ", id="other shape"),
        pytest.param(lambda a: psnr(a, a, data_range=0), "positive", id="range of zero"),
        pytest.param(lambda a: ssim(a, a, data_range=np.nan), "positive", id="range is no number"),
        pytest.param(lambda a: psnr(a, a, data_range=1, mask=a > 9), "mask is empty", id="empty mask"),
        pytest.param(
            lambda a: ssim(a, a, data_range=1, mask=a[1:] < 9), "mask has the shape", id="mask of other shape"
        ),
        pytest.param(lambda a: psnr(a * np.nan, a, data_range=1), "not finite", id="NaN"),
        pytest.param(lambda a: nwd(a, a * np.inf, a), "not finite", id="infinity"),
        pytest.param(lambda a: nwd(a, a, []), "no intensities", id="no voxels"),
        pytest.param(lambda a: ssim(a[0], a[0], data_range=1), "three-dimensional", id="SSIM of a slice"),
        pytest.param(lambda a: ssim(a[:9], a[:9], data_range=1), "at least 11", id="too thin for the window"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(np.ones((12, 12, 12)))
