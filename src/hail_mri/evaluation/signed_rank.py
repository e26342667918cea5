"""Is one method better than another on the same subjects: Wilcoxon's signed-rank test, as the paper uses it.

References
----------
HAIL, the paper: table 2 (a star for p ≤ 0.05 by the Wilcoxon signed-rank test).
Wilcoxon: Individual comparisons by ranking methods. Biometrics Bulletin 1945, doi:10.2307/3001968.
Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 1979, 6:65.
Kerby: The simple difference formula. Comprehensive Psychology 2014, doi:10.2466/11.IT.3.1 (rank-biserial correlation).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError

SIGNIFICANT = 0.05  # the paper's stars: p at most this
ROUNDING = 1e-9  # of the larger value of a pair: a difference that is less is none


@dataclass(frozen=True)
class SignedRank:
    """Hold the outcome of a signed-rank test.

    Attributes
    ----------
    p_value : float or None
        Two-sided, 0 to 1.
    statistic : float or None
        The smaller of the two sums of ranks, as Wilcoxon's T.
    effect : float or None
        Rank-biserial correlation, -1 to 1: 1 where the first value is the larger in every pair.
    n_pairs, n_ties : int
        Pairs given, and those of them without a difference.
    reason : str
        Why the numbers are undefined; empty where they are not.
    """

    p_value: float | None
    statistic: float | None
    effect: float | None
    n_pairs: int
    n_ties: int
    reason: str = ""


def signed_rank_test(first: ArrayLike, second: ArrayLike) -> SignedRank:
    """Test whether paired values differ in one direction.

    Parameters
    ----------
    first, second : (n,) array-like of float
        A number of two methods for each subject, in one unit. One pair a subject: average the cases of a subject first,
        or the test counts them as independent.

    Returns
    -------
    SignedRank
        Undefined where no pair differs.

    Raises
    ------
    InputError
        If there are no pairs, not as many of one as of the other, or a value is not finite.

    Notes
    -----
    Two-sided; pairs without a difference are dropped (Wilcoxon 1945), and so are those that differ by rounding
    alone (by 1e-9 of the larger value): a metric that is 1 but for rounding in every subject proves nothing. Equal
    differences share their mean rank. The p-value is exact up to 50 pairs: from the distribution of T where no
    difference occurs twice, from all changes of sign where one does and at most 13 pairs are left. Otherwise it is
    the normal approximation with the variance corrected for ties and no correction for continuity. The same as
    `scipy.stats.wilcoxon` without the dropped pairs.

    With five pairs no p-value is below 0.0625, so there can be no star.

    Examples
    --------
    >>> signed_rank_test([5.0, 6.0, 7.0, 8.0, 9.0, 10.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    SignedRank(p_value=0.03125, statistic=0.0, effect=1.0, n_pairs=6, n_ties=0, reason='')
    """
    differences, smallest = _differences(first, second)
    n_pairs, used = differences.size, differences[np.abs(differences) > smallest]
    n_ties = n_pairs - used.size
    if used.size == 0:
        return SignedRank(None, None, None, n_pairs, n_ties, "no pair differs")
    from scipy.stats import rankdata, wilcoxon

    ranks = rankdata(np.abs(used))
    larger, total = float(ranks[used > 0].sum()), used.size * (used.size + 1) / 2
    p_value = float(wilcoxon(used, zero_method="wilcox", correction=False, alternative="two-sided").pvalue)
    return SignedRank(p_value, min(larger, total - larger), 2 * larger / total - 1, n_pairs, n_ties)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of several tests by Holm's step-down procedure.

    Parameters
    ----------
    p_values : sequence of float
        Of all tests of the family, 0 to 1; those undefined are left out before.

    Returns
    -------
    list of float
        In the order given, 0 to 1; compare them with the level as they are.

    Raises
    ------
    InputError
        If one is not between 0 and 1.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError(f"the p-values {list(p_values)} are not all between 0 and 1", hint="leave out those undefined")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    return [float(value) for value in adjusted]


def star(p_value: float | None) -> str:
    """Return the paper's star for a difference that is significant.

    Parameters
    ----------
    p_value : float or None
        0 to 1; none where the test is undefined.

    Examples
    --------
    >>> star(0.05), star(0.051), star(None)
    ('★', '', '')
    """
    return "★" if p_value is not None and p_value <= SIGNIFICANT else ""


def _differences(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Subtract pairs, and say up to where a difference is rounding; or say what is wrong with them."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise InputError(f"the values have the shapes {a.shape} and {b.shape}, expected pairs", hint="give two lists")
    if a.size == 0:
        raise InputError("there are no pairs", hint="give one for each subject")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("there are values that are not finite (NaN or infinity)", hint="leave these pairs out")
    return a - b, ROUNDING * np.maximum(np.abs(a), np.abs(b))
