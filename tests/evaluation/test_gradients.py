"""Gradients and edges against SimpleITK, SciPy and scikit-learn, and against what a map of intensities must keep."""

from itertools import permutations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter
from scipy.stats import pearsonr
from sklearn.metrics import f1_score

from hail_mri.errors import InputError
from hail_mri.evaluation.gradients import edge_agreement, gradient_alignment, gradient_correlation

METRICS = [gradient_alignment, gradient_correlation, edge_agreement]
SPACING = (0.8, 1.2, 2.5)


@pytest.fixture
def pair():
    """A smooth source of unequal sides, and a brighter result with some noise."""
    rng = np.random.default_rng(5)
    source = 100 + 50 * gaussian_filter(rng.normal(0, 20, (17, 19, 23)), 1.5)
    return source, 1.7 * source + gaussian_filter(rng.normal(0, 900, source.shape), 1.0)


@pytest.fixture
def mask():
    """A slanted region that keeps away from the border."""
    i, j, k = np.ogrid[0:17, 0:19, 0:23]
    slanted = i + j - k < 9
    slanted[[0, -1]] = slanted[:, [0, -1]] = slanted[:, :, [0, -1]] = False
    return slanted


def by_simpleitk(volume, mask):
    """Return the gradients (n, 3) per mm by ITK's central differences."""
    image = sitk.GetImageFromArray(volume.transpose(2, 1, 0).copy())
    image.SetSpacing(SPACING)
    gradients = sitk.GetArrayFromImage(sitk.Gradient(image, useImageSpacing=True))
    return gradients.transpose(2, 1, 0, 3)[mask]


def test_alignment_agrees_with_cosines_of_simpleitks_gradients(pair, mask):
    a, b = (by_simpleitk(volume, mask) for volume in pair)
    cosines = np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    expected = np.average(cosines**2, weights=np.sum(a**2, axis=1))
    found = gradient_alignment(*pair, mask=mask, spacing=SPACING)
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert 0.5 < found.value < 0.99


def test_correlation_agrees_with_scipys_of_simpleitks_magnitudes(pair, mask):
    a, b = (np.linalg.norm(by_simpleitk(volume, mask), axis=1) for volume in pair)
    found = gradient_correlation(*pair, mask=mask, spacing=SPACING)
    assert found.value == pytest.approx(pearsonr(a, b).statistic, rel=1e-6)


def test_edges_agree_with_scikit_learns_score_of_simpleitks_strongest_tenth(pair, mask):
    strong = []
    for volume in pair:
        magnitude = np.linalg.norm(by_simpleitk(volume, mask), axis=1)
        rank = magnitude.size - 1 - magnitude.argsort().argsort()
        strong.append(rank <= magnitude.size - 1 - int(0.9 * (magnitude.size - 1)))
    assert edge_agreement(*pair, mask=mask, spacing=SPACING).value == pytest.approx(f1_score(*strong), abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("factor", "offset"), [(1.0, 0.0), (0.01, -3.0), (-2.0, 500.0)])
def test_straight_line_is_perfect_whatever_the_units(pair, metric, factor, offset):
    assert metric(pair[0], factor * pair[0] + offset).value == pytest.approx(1, abs=1e-9)


def test_alignment_hardly_sees_a_smooth_curve_and_sees_other_anatomy(pair):
    source = pair[0]
    curve = np.sqrt(source - source.min() + 10)
    assert gradient_alignment(source, curve).value > 0.99
    assert gradient_alignment(source, np.flip(source)).value == pytest.approx(1 / 3, abs=0.1)  # of any two directions


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_order_of_the_axes_does_not_matter(pair, mask, metric, order):
    turned = metric(
        *(volume.transpose(order) for volume in pair),
        mask=mask.transpose(order),
        spacing=[SPACING[axis] for axis in order],
    )
    assert turned.value == pytest.approx(metric(*pair, mask=mask, spacing=SPACING).value, abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_only_the_mask_and_its_neighbours_count(pair, mask, metric):
    far = ~mask & (np.indices(mask.shape).sum(axis=0) < 2)
    spoiled = np.where(far, 1e6, pair[1])
    assert metric(pair[0], spoiled, mask=mask) == metric(*pair, mask=mask)


def test_flat_result_is_aligned_with_nothing(pair):
    flat = np.full_like(pair[0], 7.0)
    assert gradient_alignment(pair[0], flat).value == 0
    assert (
        gradient_correlation(pair[0], flat).reason
        == "the gradient of the result has one magnitude everywhere in the mask"
    )
    assert edge_agreement(pair[0], flat).reason == "the result has no edge in the mask"


@pytest.mark.parametrize("metric", METRICS)
def test_flat_source_is_undefined(pair, metric):
    found = metric(np.zeros_like(pair[0]), pair[1])
    assert found.value is None
    assert "source" in found.reason


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"result": np.zeros((2, 2, 2))}, "the shapes differ", id="other shape"),
        pytest.param({"source": np.full((4, 5, 6), np.nan)}, "not finite", id="NaN"),
        pytest.param({"mask": np.zeros((4, 5, 6), bool)}, "mask is empty", id="empty mask"),
        pytest.param({"mask": np.ones((2, 2, 2), bool)}, "mask has the shape", id="mask elsewhere"),
        pytest.param({"spacing": (1.0, 0.0, 1.0)}, "three positive numbers", id="no spacing"),
        pytest.param({"source": np.ones((1, 5, 6)), "result": np.ones((1, 5, 6))}, "two voxels", id="one slice"),
        pytest.param({"source": np.ones((5, 6)), "result": np.ones((5, 6))}, "three dimensions", id="plane"),
    ],
)
def test_what_cannot_be_measured_is_refused(metric, changed, message):
    arguments = {"source": np.ones((4, 5, 6)), "result": np.ones((4, 5, 6)), **changed}
    with pytest.raises(InputError, match=message):
        metric(**arguments)
