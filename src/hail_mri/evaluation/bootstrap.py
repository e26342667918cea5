"""Intervals by the bootstrap over subjects.

Scans of one subject are alike, so it is subjects that are drawn, with all of their rows (the cluster bootstrap): to
draw rows would make intervals too narrow.

References
----------
Efron, Tibshirani: An Introduction to the Bootstrap. Chapman & Hall 1993, sections 13.3 (percentile) and 14.3 (BCa).
Field, Welsh: Bootstrapping clustered data. Journal of the Royal Statistical Society B 2007,
doi:10.1111/j.1467-9868.2007.00593.x.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError

LEVEL = 0.95
N_RESAMPLES = 2000  # the ends of an interval of 95 % are sure to about a twentieth of its width

Statistic = Callable[[NDArray[np.float64]], float]
SubjectStatistic = Callable[[NDArray[np.intp], int], NDArray[np.float64]]  # of drawn subjects, along an axis


@dataclass(frozen=True)
class Interval:
    """Hold an estimate with its interval.

    Attributes
    ----------
    estimate : float or None
        Of all rows, in the unit of the statistic; None where it is undefined.
    low, high : float or None
        Ends of the interval; None where it is undefined.
    level : float
        Between 0 and 1.
    n_subjects : int
    reason : str
        Why something is undefined; empty where nothing is.
    """

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    n_subjects: int
    reason: str = ""


def mean(rows: NDArray[np.float64]) -> float:
    """Average all values.

    Parameters
    ----------
    rows : (n,) array of float

    Examples
    --------
    >>> mean(np.array([1.0, 2.0, 6.0]))
    3.0
    """
    return float(rows.mean())


def bootstrap_interval(
    rows: ArrayLike,
    subjects: ArrayLike,
    *,
    rng: np.random.Generator,
    statistic: Statistic = mean,
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    method: Literal["percentile", "BCa"] = "percentile",
) -> Interval:
    """Estimate a statistic of rows, and how sure it is for other subjects of the kind.

    Parameters
    ----------
    rows : (n, ...) array-like of float
        One row for each case; of one number or several.
    subjects : (n,) array-like
        Whose case it is; any labels.
    rng : numpy.random.Generator
    statistic : callable
        From any rows, (m, ...) array of float, to a float, of the whole population's kind; NaN where it does not exist
        for these rows.
    level : float
        Between 0 and 1.
    n_resamples : int
    method : {"percentile", "BCa"}
        BCa corrects bias and skewness with the jackknife, which needs a smooth statistic: take it for means, not for
        medians.

    Returns
    -------
    Interval
        Without ends where there is one subject, or BCa does not exist, or the statistic fails in a resample. Without
        an estimate where the statistic fails for all rows.

    Raises
    ------
    InputError
        If rows are none, not finite or not one for each label of `subjects`, the level is not between 0 and 1, or there
        are no resamples.

    Notes
    -----
    Done by `scipy.stats.bootstrap` on the subjects. With fewer than about ten of them any such interval is too narrow.

    Examples
    --------
    >>> found = bootstrap_interval([1.0, 1.0, 3.0, 3.0], ["a", "a", "b", "b"], rng=np.random.default_rng(0))
    >>> found.estimate, found.low, found.high, found.n_subjects
    (2.0, 1.0, 3.0, 2)
    """
    values, owners = _checked(rows, subjects)
    if not 0 < level < 1:
        raise InputError(f"the level is {level}, expected between 0 and 1", hint=f"leave it at {LEVEL}")
    if n_resamples < 1:
        raise InputError(f"there are {n_resamples} resamples, expected at least 1", hint=f"leave it at {N_RESAMPLES}")
    groups = [np.flatnonzero(owners == number) for number in range(owners.max() + 1)]
    estimate = float(statistic(values))
    if math.isnan(estimate):
        return Interval(None, None, None, level, len(groups), "the statistic does not exist for these rows")
    if len(groups) < 2:
        return Interval(estimate, None, None, level, len(groups), "there is one subject only")

    of_subjects = (
        _mean_of_subjects(values, owners)
        if statistic is mean and values.ndim == 1
        else _one_by_one(lambda numbers: float(statistic(values[np.concatenate([groups[n] for n in numbers])])))
    )
    low, high = _ends(of_subjects, len(groups), rng, level=level, n_resamples=n_resamples, method=method)
    if math.isnan(low) or math.isnan(high):
        reason = "the statistic does not exist in some resamples" if method == "percentile" else "BCa does not exist"
        return Interval(estimate, None, None, level, len(groups), reason)
    return Interval(estimate, low, high, level, len(groups))


def _checked(rows: ArrayLike, subjects: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Take rows as floats and subjects as numbers from 0, or say what is wrong."""
    values, labels = np.asarray(rows, dtype=np.float64), np.asarray(subjects)
    if values.ndim == 0 or len(values) == 0:
        raise InputError("there are no rows", hint="give one for each case")
    if labels.shape != (len(values),):
        raise InputError(
            f"there are {len(values)} rows and subjects of shape {labels.shape}", hint="give one subject a row"
        )
    if not np.isfinite(values).all():
        raise InputError("there are values that are not finite (NaN or infinity)", hint="leave these rows out")
    return values, np.unique(labels, return_inverse=True)[1]


def _mean_of_subjects(values: NDArray[np.float64], owners: NDArray[np.intp]) -> SubjectStatistic:
    """Average the rows of drawn subjects, of all resamples at once: it is the mean that is wanted most often."""
    sums, counts = np.bincount(owners, values), np.bincount(owners)
    return lambda numbers, axis: sums[numbers].sum(axis) / counts[numbers].sum(axis)


def _one_by_one(statistic: Callable[[NDArray[np.intp]], float]) -> SubjectStatistic:
    """Take a statistic of one resample for all of them."""
    return lambda numbers, axis: np.apply_along_axis(statistic, axis, numbers)


def _ends(
    statistic: SubjectStatistic,
    n_subjects: int,
    rng: np.random.Generator,
    *,
    level: float,
    n_resamples: int,
    method: Literal["percentile", "BCa"],
) -> tuple[float, float]:
    """Draw subjects with SciPy; ends are NaN where there are none."""
    from scipy.stats import DegenerateDataWarning, bootstrap

    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)  # said as the reason
        interval = bootstrap(
            (np.arange(n_subjects),),
            statistic,
            vectorized=True,
            confidence_level=level,
            n_resamples=n_resamples,
            method=method,
            rng=rng,
        ).confidence_interval
    return float(interval.low), float(interval.high)
