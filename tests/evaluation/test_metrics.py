"""Every metric against another program, against closed forms, and on what it must refuse."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cityblock
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.metrics import mean_absolute_error

from hail_mri.errors import InputError
from hail_mri.evaluation import ssim_map
from hail_mri.evaluation.metrics import mae, psnr, ssim

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


def test_mae_agrees_with_scikit_learn_and_minkowskis_distance(pair, mask):
    test, truth = (a.astype(float)[mask] for a in pair)
    assert mae(*pair, mask=mask) == pytest.approx(mean_absolute_error(truth, test), rel=1e-12)
    assert mae(*pair, mask=mask) == pytest.approx(cityblock(test, truth) / mask.sum(), rel=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=30))
def test_mae_is_at_most_the_root_of_the_mean_square_that_psnr_tells(values):
    test, truth = np.transpose(values)
    if (error := mae(test, truth)) > 1e-6:
        root_mean_square = 10 ** (-psnr(test, truth, data_range=1) / 20)
        assert error <= root_mean_square * (1 + 1e-9)


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
    assert mae(test, truth, mask=turned) == pytest.approx(mae(*pair, mask=used), rel=1e-9)


@pytest.mark.parametrize("factor", [1e-3, 64.0])
def test_unit_does_not_matter_when_the_range_goes_along(pair, factor):
    test, truth = (a.astype(float) for a in pair)
    for metric in (psnr, ssim):
        value = metric(test * factor, truth * factor, data_range=800 * factor)
        assert value == pytest.approx(metric(test, truth, data_range=800), abs=1e-9)


def test_equal_volumes_are_perfect(pair, mask):
    truth = pair[1]
    assert psnr(truth, truth, data_range=800) == np.inf
    assert mae(truth, truth) == 0
    assert ssim(truth, truth, data_range=800, mask=mask) == pytest.approx(1, abs=1e-12)


def test_only_the_mask_counts_for_psnr(pair, mask):
    truth = pair[1]
    test = np.where(mask, truth + 8, -1e6)
    assert psnr(test, truth, data_range=800, mask=mask) == pytest.approx(40, abs=1e-4)


def test_integers_do_not_wrap_around():
    assert psnr(np.array([0, 10], np.uint8), np.array([10, 0], np.uint8), data_range=100) == pytest.approx(20)
    assert mae(np.array([0, 10], np.uint8), np.array([10, 0], np.uint8)) == 10


def test_arguments_are_left_alone(pair, mask):
    before = [a.copy() for a in pair]
    ssim(*pair, data_range=800, mask=mask)
    psnr(*pair, data_range=800, mask=mask)
    mae(*pair, mask=mask)
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
        pytest.param(lambda a: mae(a, a * np.inf), "not finite", id="infinity"),
        pytest.param(lambda a: mae(a[:0], a[:0]), "arrays are empty", id="no voxels"),
        pytest.param(lambda a: ssim(a[0], a[0], data_range=1), "three dimensions", id="SSIM of a slice"),
        pytest.param(lambda a: ssim(a[:9], a[:9], data_range=1), "at least 11", id="too thin for the window"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(np.ones((12, 12, 12)))
