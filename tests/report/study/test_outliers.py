import numpy as np
import pytest

from hail_mri.report.study.outliers import far_limit, robust_distances


@pytest.fixture
def looks():
    return 0.6 + np.random.default_rng(0).normal(0, 0.02, (20, 10))


SITES = ["A"] * 10 + ["B"] * 10


def test_a_scan_unlike_its_site_is_far_and_no_other_is(looks):
    looks[13] += 0.3

    distances = robust_distances(looks, SITES)

    assert np.flatnonzero(distances > far_limit(distances)).tolist() == [13]


def test_sites_that_differ_as_a_whole_have_no_outlier(looks):
    looks[10:] += 0.3

    distances = robust_distances(looks, SITES)

    assert (distances < far_limit(distances)).all()
    assert distances == pytest.approx(robust_distances(looks - 0.3 * np.repeat([[0], [1]], 10, axis=0), SITES))


def test_of_normal_looks_the_distance_is_about_one(looks):
    assert np.median(robust_distances(looks, SITES)) == pytest.approx(1, abs=0.25)


def test_differences_that_nobody_sees_do_not_count():
    looks = np.full((12, 5), 0.6)
    looks[0] += 1e-4

    distances = robust_distances(looks, ["A"] * 12)

    assert distances.max() < 0.1


def test_of_normal_looks_hardly_any_is_far():
    common = np.random.default_rng(1).normal(0, 1, (2000, 4)) @ np.random.default_rng(2).normal(0, 1, (4, 18))

    distances = robust_distances(0.6 + 0.02 * common, ["A", "B"] * 1000)

    assert np.count_nonzero(distances > far_limit(distances)) <= 5


def test_a_site_of_few_scans_has_no_distances(looks):
    distances = robust_distances(looks, ["A"] * 17 + ["B"] * 3)

    assert np.isfinite(distances).tolist() == [True] * 17 + [False] * 3


def test_too_few_distances_have_no_limit(looks):
    assert far_limit(robust_distances(looks[:6], ["A"] * 6)) is None
    assert far_limit(robust_distances(looks[:3], ["A"] * 3)) is None
