"""The probe against scikit-learn's own cross-validation, on features with and without the site, and against leaks."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hail_mri.errors import InputError
from hail_mri.evaluation.site_probe import probe_site


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def travelling():
    """Fifteen subjects at three sites each, and features that tell the sites in part."""
    draws = np.random.default_rng(1)
    subjects, sites = np.repeat(np.arange(15), 3), np.tile(["A", "B", "C"], 15)
    of_site = np.tile(draws.normal(0, 1, (3, 4)), (15, 1))
    return of_site + np.repeat(draws.normal(0, 1, (15, 4)), 3, axis=0) + draws.normal(0, 0.5, (45, 4)), sites, subjects


def test_with_one_fold_a_subject_the_accuracy_is_scikit_learns(travelling, rng):
    features, sites, subjects = travelling
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    answers = cross_val_predict(classifier, features, sites, groups=subjects, cv=LeaveOneGroupOut())
    found = probe_site(*travelling, rng=rng, n_folds=99)
    assert found.n_folds == 15
    assert found.balanced_accuracy.estimate == pytest.approx(balanced_accuracy_score(sites, answers), abs=1e-12)
    assert found.balanced_accuracy.low < found.balanced_accuracy.estimate < found.balanced_accuracy.high
    assert found.balanced_accuracy.n_subjects == 15


def test_site_in_the_features_is_always_told(travelling, rng):
    _, sites, subjects = travelling
    plain = (sites[:, None] == ["A", "B", "C"]).astype(float)
    found = probe_site(plain, sites, subjects, rng=rng)
    assert (found.balanced_accuracy.estimate, found.chance) == (1, 1 / 3)


def test_features_without_the_site_are_at_chance(travelling, rng):
    _, sites, subjects = travelling
    noise = np.random.default_rng(2).normal(0, 1, (45, 3))
    found = probe_site(noise, sites, subjects, rng=rng).balanced_accuracy
    assert found.low < 1 / 3 < found.high


def test_knowing_the_person_does_not_help(rng):
    draws = np.random.default_rng(3)
    subjects = np.repeat(np.arange(24), 6)
    sites = np.where(subjects % 2 == 0, "A", "B")
    person = np.repeat(draws.normal(0, 1, (24, 40)), 6, axis=0) + draws.normal(0, 0.01, (144, 40))
    seen = LogisticRegression(max_iter=1000).fit(person[::2], sites[::2]).score(person[1::2], sites[1::2])
    assert seen == 1
    assert probe_site(person, sites, subjects, rng=rng).balanced_accuracy.estimate < 0.75


def test_many_scans_of_one_site_do_not_lift_the_accuracy(rng):
    sites = np.array(["A"] * 95 + ["B"] * 5)
    noise = np.random.default_rng(4).normal(0, 1, (100, 2))
    found = probe_site(noise, sites, np.arange(100), rng=rng).balanced_accuracy.estimate
    assert found == pytest.approx(0.5, abs=0.1)


def test_unit_of_a_feature_does_not_matter_and_the_same_generator_gives_the_same(travelling):
    features, sites, subjects = travelling
    found = probe_site(features, sites, subjects, rng=np.random.default_rng(5))
    scaled = probe_site(features * [1e-3, 1, 1e3, 1] + 7, sites, subjects, rng=np.random.default_rng(5))
    assert scaled.balanced_accuracy.estimate == pytest.approx(found.balanced_accuracy.estimate, abs=1e-12)
    assert probe_site(features, sites, subjects, rng=np.random.default_rng(5)) == found


def test_constant_features_are_at_chance(travelling, rng):
    _, sites, subjects = travelling
    assert probe_site(np.ones((45, 2)), sites, subjects, rng=rng).balanced_accuracy.estimate == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"features": np.empty((0, 2))}, "expected scans by features", id="empty"),
        pytest.param({"features": np.ones(4)}, "expected scans by features", id="no table"),
        pytest.param({"features": np.full((4, 1), np.nan)}, "not finite", id="NaN"),
        pytest.param({"sites": ["A"] * 3}, "4 scans and sites", id="sites missing"),
        pytest.param({"subjects": [1, 2]}, "4 scans and subjects", id="subjects missing"),
        pytest.param({"sites": ["A"] * 4}, "one site only", id="one site"),
        pytest.param({"subjects": [1, 2, 3, 3]}, "the site B has one subject", id="one subject at a site"),
        pytest.param({"n_folds": 1}, "at least 2", id="one fold"),
    ],
)
def test_what_cannot_be_probed_is_refused(changed, message, rng):
    arguments = {"features": np.ones((4, 1)), "sites": list("AABB"), "subjects": [1, 2, 3, 4], **changed}
    with pytest.raises(InputError, match=message) as caught:
        probe_site(**arguments, rng=rng)
    assert caught.value.hint


def test_sites_of_fewer_scans_than_folds_are_probed_in_fewer_folds():
    features = np.repeat(np.eye(4), 3, axis=0)

    found = probe_site(features, np.repeat(list("ABCD"), 3), np.arange(12), rng=np.random.default_rng(0))

    assert found.n_folds == 3
    assert found.balanced_accuracy.estimate == 1


def test_a_site_of_few_scans_makes_nobody_a_warning():
    features = np.random.default_rng(0).normal(size=(12, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = probe_site(features, list("AAAAAAAAABBB"), np.arange(12), rng=np.random.default_rng(0))
    assert found.n_folds == 5  # more than B has scans
