"""Whether what should be kept is kept: the effect of a covariate before and after harmonization.

A harmonization that makes sites alike by wiping out age, or the atrophy of a patient, is no gain.

Terms
-----
value
    What is measured in each scan, such as the volume of a structure or the mean intensity of a tissue.
covariate
    What it depends on: age in years, simulated atrophy in percent.
confounders
    What else it may depend on, one column each: sex, head size, the site as columns of 0 and 1 (all sites but one).

References
----------
Cohen, Cohen, West, Aiken: Applied Multiple Regression/Correlation Analysis for the Behavioral Sciences. 3rd edition,
Erlbaum 2003.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.bootstrap import Interval, bootstrap_interval

Rows = NDArray[np.float64]  # (n, 2 + c): value, covariate, confounders

SURE = 0.05  # p of a relation at most
ROUNDING = 1e-10  # of a column's size: what is less is explained by the others but for rounding


@dataclass(frozen=True)
class CovariateEffect:
    """Hold the effect of a covariate on a value.

    Attributes
    ----------
    slope : float or None
        Change of the value for one unit of the covariate, in the value's unit, confounders held fixed.
    partial_correlation : float or None
        Of value and covariate, confounders held fixed; -1 to 1.
    reason : str
        Why one or both are undefined; empty where both exist.
    """

    slope: float | None
    partial_correlation: float | None
    reason: str = ""


@dataclass(frozen=True)
class CovariateKept:
    """Hold an effect before and after harmonization.

    Attributes
    ----------
    before, after : CovariateEffect
        In the source scans and in the harmonized ones.
    slope_kept : Interval
        Slope after by slope before, in percent, by subject: 100 where the effect is as it was, 0 where it is lost.
        Undefined where there is no relation before.
    correlation_change : Interval
        Partial correlation after less that before, by subject; 0 where it is as it was.
    """

    before: CovariateEffect
    after: CovariateEffect
    slope_kept: Interval
    correlation_change: Interval


def covariate_effect(
    values: ArrayLike, covariate: ArrayLike, *, confounders: ArrayLike | None = None
) -> CovariateEffect:
    """Regress a value on a covariate by least squares.

    Parameters
    ----------
    values, covariate : (n,) array-like of float
        One number for each scan, in any units.
    confounders : (n, c) array-like of float, optional
        Held fixed; a constant is always among them.

    Returns
    -------
    CovariateEffect
        Undefined where the confounders explain the covariate, or there are no more scans than unknowns; the correlation
        also where they explain the value.

    Raises
    ------
    InputError
        If the arguments are not one for each scan, or not finite.

    Examples
    --------
    >>> effect = covariate_effect([500.0, 490.0, 480.0], [60.0, 65.0, 70.0])
    >>> round(effect.slope, 9), round(effect.partial_correlation, 9)
    (-2.0, -1.0)
    """
    return _effect(_rows(values, covariate, confounders))


def covariate_kept(
    before: ArrayLike,
    after: ArrayLike,
    covariate: ArrayLike,
    subjects: ArrayLike,
    *,
    rng: np.random.Generator,
    confounders: ArrayLike | None = None,
) -> CovariateKept:
    """Compare the effect of a covariate before and after harmonization.

    Parameters
    ----------
    before, after : (n,) array-like of float
        The value in each source and in its result, in one unit.
    covariate : (n,) array-like of float
    subjects : (n,) array-like
        Of each scan; the intervals are by subject.
    rng : numpy.random.Generator
    confounders : (n, c) array-like of float, optional

    Returns
    -------
    CovariateKept

    Raises
    ------
    InputError
        As `covariate_effect` and `bootstrap_interval`.

    Notes
    -----
    No interval has ends where one of its resamples has no slope, which happens with fewer than about seven subjects.
    The kept slope is a ratio: where the slope before is not surely unlike 0 (p > 0.05 by Student's t-test of the
    partial correlation, with two less than there are subjects as its degrees of freedom), it says nothing and is
    undefined.

    Examples
    --------
    >>> ages = [60.0, 65.0, 70.0, 75.0]
    >>> kept = covariate_kept(
    ...     [4.0, 3.0, 2.0, 1.0], [5.0, 4.5, 4.0, 3.5], ages, list("abcd"), rng=np.random.default_rng(0)
    ... )
    >>> round(kept.slope_kept.estimate, 9), round(kept.correlation_change.estimate, 9)
    (50.0, 0.0)
    """
    rows_before, rows_after = (_rows(values, covariate, confounders) for values in (before, after))
    both = np.concatenate([rows_after[:, :1], rows_before], axis=1)
    slope_kept = bootstrap_interval(both, subjects, rng=rng, statistic=_slope_kept)
    change = bootstrap_interval(both, subjects, rng=rng, statistic=_correlation_change)
    effect_before = _effect(rows_before)
    if reason := _no_relation(effect_before, slope_kept.n_subjects):
        slope_kept = replace(slope_kept, estimate=None, low=None, high=None, reason=reason)
    return CovariateKept(effect_before, _effect(rows_after), slope_kept, change)


def _no_relation(before: CovariateEffect, n_subjects: int) -> str:
    """Return why there may be no effect of which a share could be kept; nothing where there surely is one."""
    correlation, n_free = before.partial_correlation, n_subjects - 2
    if before.slope is None or correlation is None:
        return before.reason
    if n_free < 1:
        return f"{n_subjects} subjects are too few to tell whether there is a relation before"
    from scipy.stats import t as student

    left = 1 - correlation**2
    p_value = 0.0 if left <= 0 else float(2 * student.sf(abs(correlation) * math.sqrt(n_free / left), n_free))
    return f"there is no sure relation before (p = {p_value:.2g})" if p_value > SURE else ""


def _rows(values: ArrayLike, covariate: ArrayLike, confounders: ArrayLike | None) -> Rows:
    """Put all columns side by side, or say what is wrong with them."""
    y, x = np.asarray(values, dtype=np.float64), np.asarray(covariate, dtype=np.float64)
    if y.ndim != 1 or y.size == 0:
        raise InputError(f"the values have the shape {y.shape}, expected one number a scan", hint="give a list")
    rest = np.empty((y.size, 0)) if confounders is None else np.asarray(confounders, dtype=np.float64)
    if x.shape != y.shape or rest.ndim != 2 or len(rest) != y.size:
        raise InputError(
            f"there are {y.size} values, a covariate of shape {x.shape} and confounders of shape {rest.shape}",
            hint="give one row a scan, and one column a confounder",
        )
    rows = np.column_stack([y, x, rest])
    if not np.isfinite(rows).all():
        raise InputError("there are values that are not finite (NaN or infinity)", hint="leave these scans out")
    return rows


def _effect(rows: Rows) -> CovariateEffect:
    """Regress what the confounders leave of the value on what they leave of the covariate."""
    n, n_unknowns = rows.shape  # as many as columns: one for the constant, none for the value itself
    if n <= n_unknowns:
        return CovariateEffect(None, None, f"there are {n} scans for {n_unknowns} unknowns")
    centred = rows - rows.mean(axis=0)
    held = centred[:, 2:]
    left = centred[:, :2] - held @ np.linalg.lstsq(held, centred[:, :2], rcond=None)[0]
    y, x = left.T
    spread_y, spread_x = np.linalg.norm(left, axis=0)
    smallest_y, smallest_x = ROUNDING * np.linalg.norm(rows[:, :2], axis=0)
    if spread_x <= smallest_x:
        return CovariateEffect(None, None, "the covariate is constant, or explained by the confounders")
    slope = float(x @ y / spread_x**2)
    if spread_y <= smallest_y:
        return CovariateEffect(slope, None, "the value is constant, or explained by the confounders")
    return CovariateEffect(slope, float(np.clip(x @ y / (spread_x * spread_y), -1, 1)))


def _both_effects(rows: Rows) -> tuple[CovariateEffect, CovariateEffect]:
    """Split rows of (after, before, covariate, confounders) and find both effects: before, after."""
    return _effect(rows[:, 1:]), _effect(np.delete(rows, 1, axis=1))


def _slope_kept(rows: Rows) -> float:
    """Divide the slopes, in percent; NaN where there is no slope before."""
    before, after = (effect.slope for effect in _both_effects(rows))
    return 100 * after / before if before and after is not None else float("nan")


def _correlation_change(rows: Rows) -> float:
    """Subtract the correlations; NaN where one does not exist."""
    before, after = (effect.partial_correlation for effect in _both_effects(rows))
    return after - before if before is not None and after is not None else float("nan")
