"""Whether methods differ from the first one of a table, over subjects, after Holm's correction over the methods.

Terms
-----
pair
    A source and its target, whatever was made of them. Two methods are compared over the pairs of which both have a
    number: a subject's mean over easy directions must not stand against its mean over all.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hail_mri.evaluation.signed_rank import SignedRank, holm, signed_rank_test

FARTHER = 1000.0  # times the largest finite number


@dataclass(frozen=True)
class MethodTest:
    """A method beside the first.

    Attributes
    ----------
    found : SignedRank or None
        None where no subject has a number of both.
    adjusted : float or None
        Its p-value after Holm's correction.
    n_common, n_pairs : int
        Pairs of which both methods have a number, and those of which one has.
    """

    found: SignedRank | None
    adjusted: float | None
    n_common: int
    n_pairs: int

    @property
    def note(self) -> str:
        """Why it is not over all pairs; empty where it is."""
        if self.n_common in (0, self.n_pairs):
            return ""
        return f"over the {self.n_common} of {self.n_pairs} pairs of source and target of which both have a number"


def compare_with_first(values: pd.DataFrame, methods: list[str]) -> dict[str, MethodTest]:
    """Test each method but the first.

    Parameters
    ----------
    values : DataFrame
        Numbers of one metric in one region: method, subject (empty where not known), pair, value (NaN where undefined;
        an infinite one, as the PSNR of a perfect result, is farther off than any finite one).
    methods : list of str
        The family of Holm's correction; the first is what they are compared with.

    Returns
    -------
    dict of str to MethodTest
    """
    named = _ranked(values[(values["subject"] != "") & values["value"].notna()])
    by_pair = named.pivot_table(values="value", index=["subject", "pair"], columns="method", aggfunc="mean")
    by_pair = by_pair.reindex(columns=methods)
    found: dict[str, MethodTest] = {}
    for method in methods[1:]:
        known = by_pair[[methods[0], method]].dropna(how="all")
        common = known.dropna()
        both = common.groupby(level="subject").mean().to_numpy()
        test = signed_rank_test(both[:, 0], both[:, 1]) if len(both) else None
        found[method] = MethodTest(test, None, len(common), len(known))
    p_values = {m: test.found.p_value for m, test in found.items() if test.found and test.found.p_value is not None}
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return {method: replace(test, adjusted=adjusted.get(method)) for method, test in found.items()}


def _ranked(values: pd.DataFrame) -> pd.DataFrame:
    """Put numbers in the place of infinite ones that are farther off than all others: ranks need no more."""
    numbers = values["value"]
    largest = float(numbers[np.isfinite(numbers)].abs().max()) if np.isfinite(numbers).any() else 0.0
    beyond = 1 + FARTHER * largest
    return values.assign(value=numbers.clip(-beyond, beyond))
