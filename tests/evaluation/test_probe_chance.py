"""Chance and change of a probe: against SciPy and scikit-learn where they can say it, and on data of a known law."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, permutation_test_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hail_mri.evaluation.probe_chance import probe_chances, probe_change

SITES = np.repeat(["A", "B", "C"], 5)
SUBJECTS = np.arange(15)
TOLD = SITES[:, None] == ["A", "B", "C"]


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_distribution_is_that_of_scikit_learns_permutations():
    noise = rng(1).normal(0, 1, (15, 4))
    (found,) = probe_chances([noise], SITES, SUBJECTS, rng=rng(), n_permutations=199)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    _, scores, _ = permutation_test_score(classifier, noise, SITES, cv=folds, n_permutations=199, random_state=0)

    assert (found.low, found.high) == pytest.approx(np.quantile(scores, [0.025, 0.975]), abs=0.07)  # a scan is 1/15


def test_sites_that_are_told_are_beyond_chance_and_chance_of_few_scans_is_wide():
    noise, told = rng(1).normal(0, 1, (15, 3)), TOLD.astype(float)
    of_noise, of_told = probe_chances([noise, told], SITES, SUBJECTS, rng=rng(), n_permutations=99)

    assert of_told.p_value == 0.01
    assert of_noise.p_value > 0.05
    assert of_noise.high > 0.5  # one third is what guessing gives on average
    assert of_noise.low < 1 / 3


def test_features_without_the_site_give_every_p_alike():
    found = [
        probe_chances([rng(seed).normal(0, 1, (20, 2))], list("AB") * 10, range(20), rng=rng(seed), n_permutations=9)[
            0
        ].p_value
        for seed in range(40)
    ]

    assert np.mean(found) > 0.45  # at least 0.55 less the noise of 40: ties make it larger
    assert binomtest(np.count_nonzero(np.array(found) <= 0.1), 40, 0.1, alternative="greater").pvalue > 0.01


def test_two_scans_of_a_subject_count_as_one():
    person = np.repeat(rng(3).normal(0, 1, (8, 30)), 6, axis=0)
    sites, subjects = np.repeat(list("AB"), 24), np.repeat(np.arange(8), 6)

    (found,) = probe_chances([person], sites, subjects, rng=rng(), n_permutations=99)

    assert found.p_value > 0.05
    assert found.high - found.low > 0.4  # of 48 people it would be 0.28


def test_scans_of_travelling_subjects_are_exchanged_within_them():
    travelling = np.repeat(rng(4).normal(0, 1, (6, 3)), 3, axis=0) + np.tile(np.eye(3) * 9, (6, 1))
    sites, subjects = np.tile(list("ABC"), 6), np.repeat(np.arange(6), 3)

    (found,) = probe_chances([travelling], sites, subjects, rng=rng(), n_permutations=99)

    assert found.p_value == 0.01


def test_two_answers_more_are_no_change():
    before, after = np.ones(15, bool), np.ones(15, bool)
    before[[0, 6, 11]], after[11] = False, False

    found = probe_change(before, after, SITES, SUBJECTS, rng=rng())

    assert found.difference.estimate == pytest.approx(2 / 15)
    assert found.difference.low <= 0 < found.difference.high
    assert found.p_value == pytest.approx(binomtest(2, 2).pvalue, abs=0.02)


def test_many_answers_less_are_a_change_as_mcnemars_exact_test_has_it():
    before = np.ones(15, bool)
    after = np.arange(15) % 5 == 0

    found = probe_change(before, after, SITES, SUBJECTS, rng=rng())

    assert found.difference.estimate == pytest.approx(-0.8)
    assert found.difference.high < 0
    assert found.p_value == pytest.approx(binomtest(12, 12).pvalue, abs=0.002)


def test_the_same_answers_are_no_change():
    found = probe_change(np.ones(15, bool), np.ones(15, bool), SITES, SUBJECTS, rng=rng())

    assert (found.difference.estimate, found.p_value) == (0, 1)


@pytest.mark.parametrize(
    ("sites", "subjects", "least_p"),
    [
        pytest.param("AAABBB", "123456", 1 / 20, id="one scan each"),
        pytest.param("AABB", "1234", 1 / 6, id="four scans"),
        pytest.param("AABBBB", "123344", 1.0, id="a site whose subjects have two scans"),
        pytest.param("AABBBBBB", "12334456", 1 / 6, id="one scan at A, one or two at B"),
        pytest.param("ABAB", "1122", 1 / 4, id="travelling subjects"),
        pytest.param("ABBA" * 5, "aabbccddeeffgghhiijj", 1 / 100, id="as many as permutations"),
    ],
)
def test_no_p_value_is_smaller_than_the_ways_to_give_sites_allow(sites, subjects, least_p):
    values = rng(4).normal(0, 1, (len(sites), 2))
    (found,) = probe_chances([values], list(sites), list(subjects), rng=rng(), n_permutations=99)

    assert found.least_p == pytest.approx(least_p)
    assert found.p_value >= 1 / 100


def test_a_site_with_other_visits_is_told_without_a_p_value_that_could_be_small():
    sites, subjects = ["A"] * 10 + ["B"] * 20, [*range(10), *np.repeat(np.arange(10, 20), 2)]
    told = (np.array(sites)[:, None] == ["A", "B"]).astype(float)

    (found,) = probe_chances([told], sites, subjects, rng=rng(), n_permutations=9)

    assert (found.p_value, found.least_p) == (1.0, 1.0)
