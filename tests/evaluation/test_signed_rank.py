"""Wilcoxon's test against SciPy, all changes of sign and published tables; Holm's procedure against statsmodels."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, wilcoxon

from hail_mri.errors import InputError
from hail_mri.evaluation.signed_rank import holm, signed_rank_test, star


def p_value_by_all_changes_of_sign(differences):
    """Count how often the sum of positive ranks is as far from its middle as it was."""
    used = differences[differences != 0]
    ranks = rankdata(np.abs(used))
    middle = ranks.sum() / 2
    found = abs(ranks[used > 0].sum() - middle)
    sums = np.array(list(product((0, 1), repeat=used.size))) @ ranks
    return np.mean(np.abs(sums - middle) >= found - 1e-9)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=8).filter(any))
def test_p_value_of_few_pairs_is_that_of_all_changes_of_sign_with_ties_and_zeros(differences):
    differences = np.array(differences, dtype=float)
    found = signed_rank_test(differences + 10, np.full(differences.size, 10.0))
    assert found.p_value == pytest.approx(p_value_by_all_changes_of_sign(differences), abs=1e-9)


@pytest.mark.parametrize("n", [8, 30, 80], ids=["few", "exact", "normal approximation"])
def test_test_agrees_with_scipy(n):
    first, second = np.random.default_rng(n).normal([0, 0.3], 1, (n, 2)).T
    expected = wilcoxon(first, second)
    found = signed_rank_test(first, second)
    assert (found.p_value, found.statistic) == pytest.approx((expected.pvalue, expected.statistic), rel=1e-9)


def test_darwins_maize_has_its_known_sum_of_ranks_and_the_p_value_of_all_changes_of_sign():
    # Differences of 15 pairs of plants, eighths of an inch: Fisher, The Design of Experiments 1935.
    differences = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)
    found = signed_rank_test(differences, np.zeros(15))
    assert found.statistic == 24  # ranks 14 and 10 of the two negative ones
    assert found.p_value == pytest.approx(p_value_by_all_changes_of_sign(differences), rel=1e-9)


@pytest.mark.parametrize("n", [5, 6])
def test_smallest_p_value_is_two_in_two_to_the_n(n):
    found = signed_rank_test(np.arange(1.0, n + 1), np.zeros(n))
    assert found.p_value == pytest.approx(2 / 2**n)
    assert star(found.p_value) == ("" if n == 5 else "★")


def test_effect_is_the_difference_of_favourable_and_other_ranks():
    found = signed_rank_test([4.0, 3.0, 2.0, 0.0], [0.0, 0.0, 0.0, 1.0])  # ranks 4, 3, 2 against 1
    assert found.effect == pytest.approx((9 - 1) / 10)


def test_exchanging_the_methods_turns_the_effect_and_nothing_else():
    first, second = np.random.default_rng(2).normal(0, 1, (2, 12))
    found, turned = signed_rank_test(first, second), signed_rank_test(second, first)
    assert turned.p_value == pytest.approx(found.p_value, rel=1e-12)
    assert (turned.effect, turned.statistic) == pytest.approx((-found.effect, found.statistic))


def test_pairs_without_a_difference_are_counted_and_dropped():
    with_zeros = signed_rank_test([1.0, 2.0, 3.0, 7.0, 7.0], [0.0, 0.0, 0.0, 7.0, 7.0])
    without = signed_rank_test([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])
    assert (with_zeros.p_value, with_zeros.n_pairs, with_zeros.n_ties) == (without.p_value, 5, 2)


def test_equal_methods_are_undefined():
    found = signed_rank_test([1.0, 2.0], [1.0, 2.0])
    assert (found.p_value, found.effect, found.reason) == (None, None, "no pair differs")
    assert star(found.p_value) == ""


def test_differences_of_rounding_are_none():
    monotonicity = 1 - np.random.default_rng(0).uniform(1e-15, 1e-10, 12)
    found = signed_rank_test(np.ones(12), monotonicity)
    assert (found.p_value, found.n_ties, found.reason) == (None, 12, "no pair differs")
    assert signed_rank_test(np.full(6, 1e-12), np.zeros(6)).p_value == 0.03125  # small numbers may differ


def test_one_pair_proves_nothing():
    assert signed_rank_test([1.0], [0.0]).p_value == 1


def test_holm_agrees_with_statsmodels():
    # statsmodels 0.15.0, multipletests(..., method="holm")
    assert holm([0.01, 0.04, 0.03, 0.005, 0.6, 0.04]) == pytest.approx([0.05, 0.12, 0.12, 0.03, 0.6, 0.12], abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_p_values_and_bonferronis_and_keeps_their_order(p_values):
    adjusted = np.array(holm(p_values))
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(1, np.multiply(p_values, len(p_values))) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= 0).all()


def test_holm_of_one_or_no_test_changes_nothing():
    assert (holm([0.03]), holm([])) == ([0.03], [])


@pytest.mark.parametrize(("p_value", "expected"), [(0.05, "★"), (0.0501, ""), (0.0, "★"), (None, "")])
def test_star_is_the_papers(p_value, expected):
    assert star(p_value) == expected


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        pytest.param([], [], "no pairs", id="empty"),
        pytest.param([1.0], [1.0, 2.0], "expected pairs", id="unpaired"),
        pytest.param([np.nan], [1.0], "not finite", id="NaN"),
    ],
)
def test_what_are_no_pairs_is_refused(first, second, message):
    with pytest.raises(InputError, match=message) as caught:
        signed_rank_test(first, second)
    assert caught.value.hint


@pytest.mark.parametrize("p_value", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(p_value):
    with pytest.raises(InputError, match="between 0 and 1"):
        holm([0.5, p_value])
