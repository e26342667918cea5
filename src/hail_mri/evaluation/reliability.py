"""How well measurements of travelling subjects agree between sites.

Terms
-----
table
    One measurement (a volume, a mean intensity) of each subject at each site: subjects by sites, nothing missing.

References
----------
Shrout, Fleiss: Intraclass correlations: uses in assessing rater reliability. Psychological Bulletin 1979,
doi:10.1037/0033-2909.86.2.420.
McGraw, Wong: Forming inferences about some intraclass correlation coefficients. Psychological Methods 1996,
doi:10.1037/1082-989X.1.1.30.
Glüer et al.: Accurate assessment of precision errors: how to measure the reproducibility of bone densitometry
techniques. Osteoporosis International 1995, doi:10.1007/BF01774016.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.measurement import Measurement

LEVEL = 0.95


@dataclass(frozen=True)
class IntraclassCorrelation:
    """Hold an intraclass correlation with its interval.

    Attributes
    ----------
    value : float or None
        At most 1; below 0 where subjects differ less than chance would have it.
    low, high : float or None
        Ends of the interval by F distributions; None where the value is, or where the subjects' measurements are the
        same at all sites, so that there is no error to reckon with.
    level : float
        Between 0 and 1.
    reason : str
        Why something is undefined; empty where nothing is.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    reason: str = ""


class _MeanSquares(NamedTuple):
    """Mean squares of the two-way analysis of variance, and the table's sides."""

    subjects: float
    sites: float
    error: float
    n: int
    k: int


def icc_agreement(table: ArrayLike, *, level: float = LEVEL) -> IntraclassCorrelation:
    """Compute ICC(2,1): absolute agreement of single measurements, sites drawn from all sites.

    Parameters
    ----------
    table : (n_subjects, n_sites) array-like of float
        Any unit.
    level : float
        Of the interval, between 0 and 1.

    Returns
    -------
    IntraclassCorrelation
        A constant offset of one site lowers it. Undefined where all measurements are equal, or neither subjects nor
        sites differ on average.

    Raises
    ------
    InputError
        If there are fewer than two subjects or sites, a value is missing or not finite, or the level is not between 0
        and 1.

    Notes
    -----
    Shrout and Fleiss 1979, case 2; the interval is theirs, which McGraw and Wong 1996 call that of ICC(A,1).

    Examples
    --------
    >>> found = icc_agreement([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.29, 0.02, 0.76)
    """
    squares = _mean_squares(table, level)
    if squares is None:
        return _all_equal(level)
    bms, jms, ems, n, k = squares  # as named in the paper
    total = bms + (k - 1) * ems + k * (jms - ems) / n
    if total <= 0:
        return IntraclassCorrelation(None, None, None, level, "there is no variance to share out but error")
    value = (bms - ems) / total
    if ems == 0:
        return _without_error(value, level)
    v = _freedom_of_sites_and_error(squares, value)
    if v <= 0:
        return IntraclassCorrelation(value, None, None, level, "there is error only, and no interval")
    from scipy.stats import f

    tail = 1 - (1 - level) / 2
    f_low, f_high = float(f.ppf(tail, n - 1, v)), float(f.ppf(tail, v, n - 1))
    if not (math.isfinite(f_low) and math.isfinite(f_high)):  # v is near 0
        return IntraclassCorrelation(value, None, None, level, "there are too few degrees of freedom for an interval")
    low = n * (bms - f_low * ems) / (f_low * (k * jms + (k * n - k - n) * ems) + n * bms)
    high = n * (f_high * bms - ems) / (k * jms + (k * n - k - n) * ems + n * f_high * bms)
    return IntraclassCorrelation(value, low, high, level)


def icc_consistency(table: ArrayLike, *, level: float = LEVEL) -> IntraclassCorrelation:
    """Compute ICC(3,1): consistency of single measurements at these very sites.

    Parameters
    ----------
    table : (n_subjects, n_sites) array-like of float
        Any unit.
    level : float
        Of the interval, between 0 and 1.

    Returns
    -------
    IntraclassCorrelation
        A constant offset of one site does not matter. Undefined where no subject differs from another, but for noise
        that is not there either.

    Raises
    ------
    InputError
        As `icc_agreement`.

    Notes
    -----
    Shrout and Fleiss 1979, case 3.

    Examples
    --------
    >>> icc_consistency([[1.0, 11.0], [2.0, 12.0], [4.0, 14.0]]).value
    1.0
    """
    squares = _mean_squares(table, level)
    if squares is None or (squares.subjects == 0 and squares.error == 0):
        return _all_equal(level)
    bms, _, ems, n, k = squares  # as named in the paper
    value = (bms - ems) / (bms + (k - 1) * ems)
    if ems == 0:
        return _without_error(value, level)
    from scipy.stats import f

    ratio, tail, freedom = bms / ems, 1 - (1 - level) / 2, (n - 1) * (k - 1)
    f_low, f_high = ratio / f.ppf(tail, n - 1, freedom), ratio * f.ppf(tail, freedom, n - 1)
    low, high = ((end - 1) / (end + k - 1) for end in (float(f_low), float(f_high)))
    return IntraclassCorrelation(value, low, high, level)


def within_subject_variation(table: ArrayLike) -> Measurement:
    """Compute the coefficient of variation of a subject over sites.

    Parameters
    ----------
    table : (n_subjects, n_sites) array-like of float
        In a unit with a true zero.

    Returns
    -------
    Measurement
        Root mean square over subjects of the standard deviation over sites (n - 1) by the mean, in percent, from 0.
        Undefined where a subject's mean is not above 0.

    Raises
    ------
    InputError
        If there is no subject or only one site, or a value is missing or not finite.

    Notes
    -----
    Root mean square, and not the mean of the subjects' coefficients, which is too small (Glüer et al. 1995).

    Examples
    --------
    >>> round(within_subject_variation([[99.0, 101.0], [198.0, 202.0]]).value, 4)
    1.4142
    """
    values = _checked_table(table, fewest_subjects=1)
    means = values.mean(axis=1)
    if (means <= 0).any():
        return Measurement.undefined("the mean of a subject is not above 0")
    return Measurement(100 * float(np.sqrt(np.mean((values.std(axis=1, ddof=1) / means) ** 2))))


def _checked_table(table: ArrayLike, *, fewest_subjects: int = 2) -> NDArray[np.float64]:
    """Take a table, or say what is wrong with it."""
    values = np.asarray(table, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] < fewest_subjects or values.shape[1] < 2:
        raise InputError(
            f"the table has the shape {values.shape}, expected at least {fewest_subjects} subjects by 2 sites",
            hint="give one row a subject, and one column a site",
        )
    if not np.isfinite(values).all():
        raise InputError("the table has values that are not finite", hint="leave out subjects that miss a site")
    return values


def _mean_squares(table: ArrayLike, level: float) -> _MeanSquares | None:
    """Split the variance; nothing where there is none. What is left by rounding alone counts as 0."""
    if not 0 < level < 1:
        raise InputError(f"the level is {level}, expected between 0 and 1", hint=f"leave it at {LEVEL}")
    values = _checked_table(table)
    if np.ptp(values) == 0:
        return None
    n, k = values.shape
    rounding = (np.finfo(np.float64).eps * np.abs(values).max() * values.size) ** 2
    values = values - values.mean()
    of_subjects, of_sites = values.mean(axis=1), values.mean(axis=0)
    rest = values - of_subjects[:, None] - of_sites
    bms, jms, ems = (
        0.0 if square <= rounding else square
        for square in (
            k * float(of_subjects @ of_subjects) / (n - 1),
            n * float(of_sites @ of_sites) / (k - 1),
            float(np.sum(rest**2)) / ((n - 1) * (k - 1)),
        )
    )
    return _MeanSquares(bms, jms, ems, n, k)


def _freedom_of_sites_and_error(squares: _MeanSquares, value: float) -> float:
    """Return Satterthwaite's degrees of freedom; Shrout and Fleiss 1979, case 2."""
    _, jms, ems, n, k = squares
    of_sites, of_error = k * value * jms / ems, n * (1 + (k - 1) * value) - k * value
    return (k - 1) * (n - 1) * (of_sites + of_error) ** 2 / ((n - 1) * of_sites**2 + of_error**2)


def _all_equal(level: float) -> IntraclassCorrelation:
    """Say that there is no variance to be shared out."""
    return IntraclassCorrelation(None, None, None, level, "there is no variance among subjects, nor any error")


def _without_error(value: float, level: float) -> IntraclassCorrelation:
    """Return a value that has no interval."""
    return IntraclassCorrelation(value, None, None, level, "sites differ by constants only: no error, no interval")
