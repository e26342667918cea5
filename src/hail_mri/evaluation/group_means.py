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
MEAN, P_VALUE, ADJUSTED, EFFECT = "mean", "signed-rank p", "signed-rank p, Holm", "rank-biserial correlation"
NO_SUBJECTS = "the lines name no subjects"


def group_means(scores: pd.DataFrame) -> Iterator[GroupNumber]:
    """Yield what is known of each metric of each method in each direction.

    Parameters
    ----------
    scores : DataFrame
        One number a row: method, subject, direction, metric, region, unit, value (NaN or None where undefined).

    Yields
    ------
    GroupNumber
        The mean over lines with its bootstrap interval by subject; and, but for the first method of the table, the
        p-value of Wilcoxon's signed-rank test against the first over subjects, the same after Holm's correction over
        the methods, and the rank-biserial correlation (1: the first method has the larger number in every subject).
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
            for method in methods:
                group = Group(method, direction, metric, region, unit)
                yield _mean(group, values[values["method"] == method])
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


def _mean(group: Group, values: pd.DataFrame) -> GroupNumber:
    """Average what is defined, with an interval where subjects are named."""
    defined = values[np.isfinite(values["value"])]
    if defined.empty:
        reasons = [reason for reason in values["reason"] if reason]
        return GroupNumber(MEAN, group, reason=reasons[0] if reasons else "no line has a finite number")
    if (defined["subject"] == "").any():
        return GroupNumber(MEAN, group, float(defined["value"].mean()), reason=NO_SUBJECTS)
    found = bootstrap_interval(defined["value"], defined["subject"], rng=np.random.default_rng(SEED))
    return GroupNumber.of_interval(MEAN, group, found)


def _test(group: Group, test: MethodTest) -> Iterator[GroupNumber]:
    """Return the outcome of a test as numbers."""
    found, group = test.found, replace(group, unit="1")
    if found is None:
        for statistic in (P_VALUE, ADJUSTED, EFFECT):
            yield GroupNumber(statistic, group, reason="no subject has a number of both methods")
        return
    for statistic, value in ((P_VALUE, found.p_value), (ADJUSTED, test.adjusted), (EFFECT, found.effect)):
        yield GroupNumber(statistic, group, value, n_subjects=found.n_pairs, reason=found.reason)
