"""Means of every metric by method and direction with intervals by subject, and tests against the first method."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from hail_mri.evaluation.bootstrap import bootstrap_interval
from hail_mri.evaluation.group_number import SEED, Group, GroupNumber
from hail_mri.evaluation.method_tests import MethodTest, compare_with_first

OVERALL = "all directions"
NO_METHOD = "results"
MEAN, MEDIAN, COMMON_MEAN = "mean", "median", "mean, pairs of all methods"
P_VALUE, ADJUSTED, EFFECT = "signed-rank p", "signed-rank p, Holm", "rank-biserial correlation"
NO_COMMON_PAIR = "there is no pair of source and target of which all methods have a number"
NO_SUBJECTS = "the lines name no subjects"


def group_means(scores: pd.DataFrame) -> Iterator[GroupNumber]:
    """Yield what is known of each metric of each method in each direction.

    Parameters
    ----------
    scores : DataFrame
        One number a row: method, subject, pair (of source and target, see `method_tests`), direction, metric, region,
        unit, value (NaN or None where undefined).

    Yields
    ------
    GroupNumber
        The mean over lines with its bootstrap interval by subject, and the median; where methods do not have
        numbers of the same pairs, the mean over those of which all methods with numbers have one; and, but for
        the first method of the table, the p-value of Wilcoxon's signed-rank test against the first over
        subjects, the same after Holm's correction over the methods, and the rank-biserial correlation (1: the
        first method has the larger number in every subject).
    """
    if scores.empty:
        return
    scores = scores.assign(
        method=scores["method"].replace("", NO_METHOD), value=pd.to_numeric(scores["value"], errors="coerce")
    )
    for direction, there in by_direction(scores):
        methods = list(dict.fromkeys(there["method"]))
        for (metric, region, unit), values in there.groupby(["metric", "region", "unit"], sort=False):
            tests = compare_with_first(values, methods)
            common = common_pairs(values)
            is_common = values["pair"].isin(common)
            for method in methods:
                group = Group(method, direction, metric, region, unit)
                of_method = values["method"] == method
                yield _mean(MEAN, group, values[of_method])
                yield _median(group, values[of_method])
                if len(common) < n_pairs(values) and values.loc[of_method, "value"].notna().any():
                    yield _mean(COMMON_MEAN, group, values[of_method & is_common])
                if method in tests:
                    yield from _test(group, tests[method])


def by_direction(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield all lines together, unless they are of one direction, and then those of each.

    Parameters
    ----------
    scores : DataFrame
    """
    directions = [name for name in dict.fromkeys(scores["direction"]) if name]
    if len(directions) != 1:
        yield OVERALL, scores
    for name in directions:
        yield name, scores[scores["direction"] == name]


def common_pairs(values: pd.DataFrame) -> set[int]:
    """Return the pairs of which every method has a number, those without any number left out.

    Parameters
    ----------
    values : DataFrame
        Numbers of one metric in one region: method, pair, value (NaN where undefined; an infinite one is a number).
    """
    defined = values[values["value"].notna()]
    of_methods = [set(pairs) for _, pairs in defined.groupby("method")["pair"]]
    return set.intersection(*of_methods) if of_methods else set()


def n_pairs(values: pd.DataFrame) -> int:
    """Count the pairs of which any method has a number.

    Parameters
    ----------
    values : DataFrame
        As for `common_pairs`.
    """
    return int(values.loc[values["value"].notna(), "pair"].nunique())


def _mean(statistic: str, group: Group, values: pd.DataFrame) -> GroupNumber:
    """Average what is finite, with an interval where subjects are named."""
    finite, infinite = values[np.isfinite(values["value"])], told_infinite(values)
    if finite.empty:
        reasons = [reason for reason in values["reason"] if reason]
        nothing = NO_COMMON_PAIR if statistic == COMMON_MEAN else "no line has a finite number"
        return GroupNumber(statistic, group, reason=infinite or (reasons[0] if reasons else nothing))
    if (finite["subject"] == "").any():
        found = GroupNumber(statistic, group, float(finite["value"].mean()), reason=NO_SUBJECTS)
    else:
        interval = bootstrap_interval(finite["value"], finite["subject"], rng=np.random.default_rng(SEED))
        found = GroupNumber.of_interval(statistic, group, interval)
    return replace(found, reason="; ".join(text for text in (infinite, found.reason) if text))


def told_infinite(values: pd.DataFrame) -> str:
    """Return how many numbers are left out of a mean since they are infinite; nothing where none is.

    Parameters
    ----------
    values : DataFrame
        Numbers of a method: value.
    """
    n_infinite = int(np.isinf(values["value"]).sum())
    return f"{n_infinite} infinite, left out: as of a result that is the truth" if n_infinite else ""


def _median(group: Group, values: pd.DataFrame) -> GroupNumber:
    """Return what a few numbers that are far off do not move, such as shares of next to no way."""
    defined = values["value"].dropna()
    if defined.empty:
        return replace(_mean(MEAN, group, values), statistic=MEDIAN)
    return GroupNumber(MEDIAN, group, float(defined.median()))


def _test(group: Group, test: MethodTest) -> Iterator[GroupNumber]:
    """Return the outcome of a test as numbers."""
    found, group = test.found, replace(group, unit="1")
    if found is None:
        for statistic in (P_VALUE, ADJUSTED, EFFECT):
            yield GroupNumber(statistic, group, reason="no subject has a number of both methods")
        return
    for statistic, value in ((P_VALUE, found.p_value), (ADJUSTED, test.adjusted), (EFFECT, found.effect)):
        yield GroupNumber(statistic, group, value, n_subjects=found.n_pairs, reason=found.reason or test.note)
