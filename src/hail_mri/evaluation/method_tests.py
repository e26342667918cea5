"""Whether methods differ from the first one of a table, over subjects, after Holm's correction over the methods."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hail_mri.evaluation.signed_rank import SignedRank, holm, signed_rank_test


@dataclass(frozen=True)
class MethodTest:
    """A method beside the first.

    Attributes
    ----------
    found : SignedRank or None
        None where no subject has a number of both.
    adjusted : float or None
        Its p-value after Holm's correction.
    """

    found: SignedRank | None
    adjusted: float | None


def compare_with_first(values: pd.DataFrame, methods: list[str]) -> dict[str, MethodTest]:
    """Test each method but the first.

    Parameters
    ----------
    values : DataFrame
        Numbers of one metric in one region: method, subject (empty where not known), value (NaN where undefined).
    methods : list of str
        The family of Holm's correction; the first is what they are compared with.

    Returns
    -------
    dict of str to MethodTest
    """
    named = values[(values["subject"] != "") & np.isfinite(values["value"])]
    by_subject = named.pivot_table(values="value", index="subject", columns="method", aggfunc="mean")
    found: dict[str, SignedRank | None] = {}
    for method in methods[1:]:
        is_there = methods[0] in by_subject and method in by_subject
        both = by_subject[[methods[0], method]].dropna().to_numpy() if is_there else np.empty((0, 2))
        found[method] = signed_rank_test(both[:, 0], both[:, 1]) if len(both) else None
    p_values = {m: test.p_value for m, test in found.items() if test is not None and test.p_value is not None}
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return {method: MethodTest(test, adjusted.get(method)) for method, test in found.items()}
