"""The site's share of a feature against SciPy's analysis of variance, and on features made with a known one."""

import numpy as np
import pytest
from scipy.stats import f_oneway

from hail_mri.errors import InputError
from hail_mri.evaluation.site_effect import site_effect

SITES = np.repeat(list("ABC"), [4, 6, 9])


@pytest.fixture
def features():
    draws = np.random.default_rng(0)
    return draws.normal(0, 1, (19, 3)) + np.repeat(draws.normal(0, 2, (3, 3)), [4, 6, 9], axis=0)


def test_the_share_is_that_of_scipys_f(features):
    f = f_oneway(*(features[[s == site for s in SITES]] for site in "ABC")).statistic
    n0 = (19 - (4**2 + 6**2 + 9**2) / 19) / 2

    assert site_effect(features, SITES).share == pytest.approx((f - 1) / (f + n0 - 1), abs=1e-12)


def test_deviations_that_were_put_in_are_found():
    draws = np.random.default_rng(1)
    sites = np.repeat(np.arange(400), 5)
    values = draws.normal(0, 3, (400, 1))[sites] + draws.normal(0, 0.5, (2000, 1))

    found = site_effect(values, sites)

    assert found.between == pytest.approx([3], rel=0.1)
    assert found.within == pytest.approx([0.5], rel=0.1)


def test_without_a_site_the_share_is_nothing_on_average():
    sites = np.repeat(np.arange(3), 5)
    shares = site_effect(np.random.default_rng(2).normal(0, 1, (15, 2000)), sites).share

    assert np.median(shares) < 0.05
    assert shares.min() == 0


def test_the_unit_changes_deviations_and_no_share(features):
    found, scaled = site_effect(features, SITES), site_effect(7 * features + 3, SITES)

    assert scaled.share == pytest.approx(found.share)
    assert scaled.between == pytest.approx(7 * found.between)


def test_a_constant_feature_has_no_share():
    assert site_effect(np.ones((4, 1)), list("AABB")).share == 0


@pytest.mark.parametrize(
    "sites", [pytest.param(list("AAAA"), id="one site"), pytest.param(list("ABCD"), id="one scan each")]
)
def test_what_has_no_variance_to_divide_is_refused(sites):
    with pytest.raises(InputError, match="expected two sites"):
        site_effect(np.ones((4, 1)), sites)


@pytest.mark.parametrize("features", [[1.0, 2.0, 3.0, 4.0], [[1.0], [2.0], [3.0]], [[1.0], [2.0], [np.nan], [4.0]]])
def test_features_that_are_no_finite_rows_of_the_scans_are_refused(features):
    with pytest.raises(InputError, match="expected a row of finite numbers for each"):
        site_effect(features, list("AABB"))
