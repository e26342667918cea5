"""Intervals against SciPy's bootstrap of independent rows, exact enumeration, theory, and where there is none."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from hail_mri.errors import InputError
from hail_mri.evaluation.bootstrap import bootstrap_interval


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("method", ["percentile", "BCa"])
def test_one_row_a_subject_agrees_with_scipys_bootstrap_of_rows(rng, method):
    values = np.random.default_rng(1).gamma(2, 3, 25)
    expected = stats.bootstrap((values,), np.mean, method=method, n_resamples=4000, rng=np.random.default_rng(2))
    found = bootstrap_interval(values, np.arange(25), rng=rng, method=method, n_resamples=4000)
    assert (found.low, found.high) == pytest.approx(expected.confidence_interval, abs=0.15)  # width 3.6


def test_few_subjects_agree_with_all_resamples_there_are(rng):
    groups = [[1.0, 2.0], [4.0], [7.0, 9.0, 11.0], [3.0]]
    rows, subjects = np.concatenate(groups), np.repeat(np.arange(4), [len(g) for g in groups])
    means = [np.mean(np.concatenate([groups[n] for n in drawn])) for drawn in product(range(4), repeat=4)]
    found = bootstrap_interval(rows, subjects, rng=rng, n_resamples=20_000, level=0.8)
    assert found.estimate == pytest.approx(rows.mean())
    assert (found.low, found.high) == pytest.approx(np.quantile(means, [0.1, 0.9]), abs=0.15)


def test_scans_of_one_subject_do_not_count_as_independent(rng):
    of_subjects = np.random.default_rng(3).normal(0, 1, 20)
    rows, subjects = np.repeat(of_subjects, 9), np.repeat(np.arange(20), 9)
    by_subject, by_row = (bootstrap_interval(rows, labels, rng=rng) for labels in (subjects, np.arange(180)))
    assert (by_subject.high - by_subject.low) / (by_row.high - by_row.low) == pytest.approx(3, rel=0.1)


def test_interval_of_a_mean_is_that_of_the_normal_distribution(rng):
    values = np.random.default_rng(4).normal(50, 6, 400)
    found = bootstrap_interval(values, np.arange(400), rng=rng, n_resamples=5000)
    expected = stats.norm.interval(0.95, values.mean(), values.std() / 20)
    assert (found.low, found.high) == pytest.approx(expected, abs=0.06)


def test_interval_holds_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(1)
    n_held = 0
    for _ in range(150):
        rows = (draws.normal(0, 1, (30, 1)) + draws.normal(0, 1, (30, 3))).ravel()
        found = bootstrap_interval(rows, np.repeat(np.arange(30), 3), rng=draws, level=0.9, n_resamples=200)
        n_held += found.low <= 0 <= found.high
    assert n_held / 150 == pytest.approx(0.89, abs=0.05)  # 30 subjects: a little less than 0.9


def test_any_statistic_and_any_labels_will_do(rng):
    rows = np.random.default_rng(6).normal(0, 1, (12, 2)) @ [[1, 0.9], [0, 0.4]]
    found = bootstrap_interval(rows, list("abcdefghijkl"), rng=rng, statistic=lambda r: np.corrcoef(r.T)[0, 1])
    assert found.estimate == pytest.approx(stats.pearsonr(*rows.T).statistic)
    assert found.low < found.estimate < found.high <= 1


def test_same_generator_gives_the_same_interval_and_the_order_of_rows_does_not_matter():
    rows, subjects = np.array([1.0, 2.0, 3.0, 8.0, 9.0, 4.0]), np.array([0, 0, 1, 1, 2, 2])
    order = [5, 2, 0, 3, 1, 4]
    found = bootstrap_interval(rows, subjects, rng=np.random.default_rng(7))
    assert bootstrap_interval(rows[order], subjects[order], rng=np.random.default_rng(7)) == found


def test_equal_rows_have_an_interval_without_width(rng):
    found = bootstrap_interval([5.0] * 6, np.arange(6), rng=rng)
    assert (found.low, found.estimate, found.high) == (5, 5, 5)


def test_one_subject_has_an_estimate_and_no_interval(rng):
    found = bootstrap_interval([1.0, 3.0], ["a", "a"], rng=rng)
    assert (found.estimate, found.low, found.n_subjects, found.reason) == (2, None, 1, "there is one subject only")


def test_bca_of_equal_rows_is_undefined(rng):
    found = bootstrap_interval([5.0] * 6, np.arange(6), rng=rng, method="BCa")
    assert (found.estimate, found.low, found.reason) == (5, None, "BCa does not exist")


def test_statistic_that_does_not_exist_gives_the_reason(rng):
    nowhere = bootstrap_interval([1.0, 2.0], [0, 1], rng=rng, statistic=lambda _: float("nan"))
    assert (nowhere.estimate, nowhere.reason) == (None, "the statistic does not exist for these rows")
    spread = bootstrap_interval([1.0, 2.0], [0, 1], rng=rng, statistic=lambda r: np.ptp(r) or float("nan"))
    assert (spread.estimate, spread.reason) == (1, "the statistic does not exist in some resamples")


@pytest.mark.parametrize(
    ("rows", "subjects", "options", "message"),
    [
        pytest.param([], [], {}, "no rows", id="empty"),
        pytest.param([1.0, 2.0], [1], {}, "2 rows and subjects", id="subjects missing"),
        pytest.param([1.0, np.nan], [1, 2], {}, "not finite", id="NaN"),
        pytest.param([1.0, 2.0], [1, 2], {"level": 95}, "between 0 and 1", id="level in percent"),
        pytest.param([1.0, 2.0], [1, 2], {"n_resamples": 0}, "at least 1", id="no resamples"),
    ],
)
def test_what_has_no_interval_is_refused(rows, subjects, options, message, rng):
    with pytest.raises(InputError, match=message) as caught:
        bootstrap_interval(rows, subjects, rng=rng, **options)
    assert caught.value.hint
