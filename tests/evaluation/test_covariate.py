"""Effects of a covariate against SciPy, scikit-learn and statsmodels' numbers, and where there is no effect to tell."""

import numpy as np
import pytest
from scipy.stats import linregress, pearsonr
from sklearn.linear_model import LinearRegression

from hail_mri.errors import InputError
from hail_mri.evaluation.covariate import covariate_effect, covariate_kept

# 24 people: age in years, sex, head size and grey matter in ml; random.
AGE = [27.7, 50.0, 56.1, 21.7, 28.9, 75.7, 24.2, 27.8, 76.9, 57.3, 42.1, 50.7]
AGE += [59.8, 36.5, 28.3, 67.3, 60.2, 50.7, 69.0, 52.9, 78.9, 32.3, 53.2, 49.0]
SEX = [1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0]
HEAD = [1515, 1575, 1425, 1352, 1492, 1480, 1582, 1296, 1371, 1349, 1242, 1465]
HEAD += [1513, 1361, 1616, 1549, 1525, 1498, 1565, 1290, 1524, 1522, 1238, 1492]
GREY = [824.9, 786.6, 764.2, 823.0, 831.2, 703.5, 852.8, 805.5, 740.2, 753.1, 797.2, 771.2]
GREY += [771.4, 785.4, 861.2, 772.7, 721.8, 779.5, 772.6, 762.4, 700.2, 819.9, 710.6, 776.1]
CONFOUNDERS = np.column_stack([SEX, HEAD])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_effect_agrees_with_statsmodels_and_pingouin():
    # statsmodels 0.15.0, OLS: the slope, and t / sqrt(t² + df); pingouin 0.7.0, partial_corr: the same correlation.
    found = covariate_effect(GREY, AGE, confounders=CONFOUNDERS)
    assert found.slope == pytest.approx(-1.9818460844168033, rel=1e-9)
    assert found.partial_correlation == pytest.approx(-0.9217429864455857, rel=1e-9)


def test_slope_agrees_with_scikit_learns_regression():
    expected = LinearRegression().fit(np.column_stack([AGE, CONFOUNDERS]), GREY).coef_[0]
    assert covariate_effect(GREY, AGE, confounders=CONFOUNDERS).slope == pytest.approx(expected, rel=1e-9)


def test_effect_without_confounders_agrees_with_scipy():
    expected = linregress(AGE, GREY)
    found = covariate_effect(GREY, AGE)
    assert (found.slope, found.partial_correlation) == pytest.approx((expected.slope, expected.rvalue), rel=1e-9)
    assert found.partial_correlation == pytest.approx(pearsonr(AGE, GREY).statistic, rel=1e-9)


def test_units_change_the_slope_and_not_the_correlation():
    found = covariate_effect(GREY, AGE, confounders=CONFOUNDERS)
    scaled = covariate_effect(np.multiply(GREY, 1000) + 5, np.divide(AGE, 10), confounders=CONFOUNDERS * 3.0 + 1)
    assert scaled.slope == pytest.approx(1e4 * found.slope, rel=1e-9)
    assert scaled.partial_correlation == pytest.approx(found.partial_correlation, rel=1e-9)


def test_confounder_that_makes_an_effect_is_held_fixed():
    site = np.repeat([0.0, 1.0], 12)
    age = np.sort(AGE)  # the older ones at the second site
    assert covariate_effect(100 * site, age).partial_correlation > 0.8
    assert covariate_effect(100 * site, age, confounders=site[:, None]).slope == pytest.approx(0, abs=1e-9)


def test_nothing_changed_keeps_all_of_the_effect(rng):
    found = covariate_kept(GREY, GREY, AGE, np.arange(24), rng=rng, confounders=CONFOUNDERS)
    assert found.before == found.after
    assert (found.slope_kept.low, found.slope_kept.high) == (pytest.approx(100), pytest.approx(100))
    assert (found.correlation_change.low, found.correlation_change.high) == (0, 0)


def test_values_drawn_to_their_mean_keep_the_share_that_was_left(rng):
    shrunk = np.mean(GREY) + 0.3 * (np.array(GREY) - np.mean(GREY))
    found = covariate_kept(GREY, shrunk, AGE, np.arange(24), rng=rng)
    assert (found.slope_kept.low, found.slope_kept.high) == (pytest.approx(30), pytest.approx(30))


def test_of_no_relation_no_share_is_kept(rng):
    noise = np.random.default_rng(2).normal(500, 10, (2, 24))
    found = covariate_kept(*noise, AGE, np.arange(24), rng=rng)
    assert (found.slope_kept.estimate, found.slope_kept.low) == (None, None)
    # The t-test of a correlation, by SciPy.
    assert found.slope_kept.reason == f"there is no sure relation before (p = {pearsonr(noise[0], AGE).pvalue:.2g})"
    assert found.correlation_change.estimate is not None


def test_of_two_subjects_nobody_can_tell_a_relation(rng):
    found = covariate_kept([1.0, 2, 3, 4.5], [1.0, 2, 3, 4], [1.0, 2, 3, 4], list("aabb"), rng=rng)
    assert found.slope_kept.reason.startswith("2 subjects are too few")


def test_simulated_atrophy_that_is_half_wiped_out_is_told(rng):
    draws = np.random.default_rng(1)
    subjects, atrophy = np.repeat(np.arange(20), 4), np.tile([0.0, 1.0, 2.0, 4.0], 20)
    size = np.repeat(draws.normal(100, 0.5, 20), 4)
    before = size - atrophy + draws.normal(0, 0.1, 80)
    after = size - 0.5 * atrophy + draws.normal(0, 0.1, 80)
    found = covariate_kept(before, after, atrophy, subjects, rng=rng)
    assert found.slope_kept.low < 50 < found.slope_kept.high
    assert found.slope_kept.high - found.slope_kept.low < 6
    assert found.slope_kept.n_subjects == 20
    assert found.correlation_change.low > 0  # from nearly -1 towards 0


@pytest.mark.parametrize(
    ("values", "covariate", "confounders", "reason"),
    [
        pytest.param([1, 2, 3], [5, 5, 5], None, "the covariate is constant", id="constant covariate"),
        pytest.param([1, 2, 3, 5], [1, 2, 3, 4], [[2], [4], [6], [8]], "explained by the confounders", id="confounded"),
        pytest.param([1, 2], [3, 4], None, "2 scans for 2 unknowns", id="two scans"),
        pytest.param([1], [3], None, "1 scans for 2 unknowns", id="one scan"),
    ],
)
def test_effect_that_cannot_be_told_is_undefined(values, covariate, confounders, reason):
    found = covariate_effect(values, covariate, confounders=confounders)
    assert (found.slope, found.partial_correlation) == (None, None)
    assert reason in found.reason


def test_constant_value_has_a_slope_of_zero_and_no_correlation(rng):
    found = covariate_effect([0.1] * 24, AGE)
    assert (found.slope, found.partial_correlation) == (pytest.approx(0, abs=1e-12), None)
    kept = covariate_kept(GREY, [0.1] * 24, AGE, np.arange(24), rng=rng)
    assert kept.slope_kept.estimate == pytest.approx(0, abs=1e-9)
    assert (kept.correlation_change.estimate, bool(kept.correlation_change.reason)) == (None, True)


@pytest.mark.parametrize(
    ("values", "covariate", "confounders", "message"),
    [
        pytest.param([], [], None, "expected one number a scan", id="empty"),
        pytest.param([1.0, 2.0], [1.0], None, "a covariate of shape", id="covariate missing"),
        pytest.param([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], "confounders of shape", id="confounders no columns"),
        pytest.param([1.0, np.nan], [1.0, 2.0], None, "not finite", id="NaN"),
    ],
)
def test_what_cannot_be_meant_is_refused(values, covariate, confounders, message):
    with pytest.raises(InputError, match=message) as caught:
        covariate_effect(values, covariate, confounders=confounders)
    assert caught.value.hint
