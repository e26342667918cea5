"""How well a classifier still tells the site from features of the scans: after a good harmonization, by chance only.

Subjects are held out whole: a classifier that has seen a subject knows the person, and with it often the site.

References
----------
Hastie, Tibshirani, Friedman: The Elements of Statistical Learning. Springer 2009, sections 4.4 and 7.10.
Brodersen, Ong, Stephan, Buhmann: The balanced accuracy and its posterior distribution. ICPR 2010,
doi:10.1109/ICPR.2010.764.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.bootstrap import Interval, bootstrap_interval

N_FOLDS = 5

Folds = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]  # (train, test), numbers of scans


@dataclass(frozen=True)
class SiteProbe:
    """Hold how well the site was told.

    Attributes
    ----------
    balanced_accuracy : Interval
        Mean over sites of the share of their scans that were told right, 0 to 1, with its interval by subject.
    chance : float
        One by the number of sites: what guessing gives.
    n_folds : int
    is_right : tuple of bool
        Of each scan: whether its site was told.
    """

    balanced_accuracy: Interval
    chance: float
    n_folds: int
    is_right: tuple[bool, ...]


def probe_site(
    features: ArrayLike, sites: ArrayLike, subjects: ArrayLike, *, rng: np.random.Generator, n_folds: int = N_FOLDS
) -> SiteProbe:
    """Try to tell the site of scans whose subjects the classifier has not seen.

    Parameters
    ----------
    features : (n, d) array-like of float
        Of each scan: such as means of tissues, a histogram, volumes.
    sites, subjects : (n,) array-like
        Where the scan was made, and of whom; any labels.
    rng : numpy.random.Generator
    n_folds : int
        Of the cross-validation, at most as many as there are subjects, and scans of the largest site.

    Returns
    -------
    SiteProbe

    Raises
    ------
    InputError
        If the arguments are not one for each scan, features are not finite, there are fewer than two sites, a site has
        fewer than two subjects, or there are fewer than two folds.

    Notes
    -----
    Logistic regression with scikit-learn's penalty (C = 1) on standardized features, scale and penalty learned in the
    training folds. A linear probe finds what is linear: chance here does not prove that nothing is left.

    The interval is of the held-out answers by resampled subjects; that the classifier would have been trained
    otherwise, too, is not in it.

    Examples
    --------
    >>> subjects = np.repeat(np.arange(6), 2)
    >>> sites = np.tile(["A", "B"], 6)
    >>> probe_site(np.tile([[0.0], [1.0]], (6, 1)), sites, subjects, rng=np.random.default_rng(0)).balanced_accuracy
    Interval(estimate=1.0, low=1.0, high=1.0, level=0.95, n_subjects=6, reason='')
    """
    values, site_numbers, subject_numbers = checked_scans(features, sites, subjects)
    folds = draw_folds(site_numbers, subject_numbers, rng=rng, n_folds=n_folds)
    is_right = held_out_answers(values, site_numbers, folds) == site_numbers
    accuracy = bootstrap_interval(
        np.stack([site_numbers, is_right], axis=1), subject_numbers, rng=rng, statistic=_balanced_accuracy
    )
    return SiteProbe(accuracy, 1 / (int(site_numbers.max()) + 1), len(folds), tuple(is_right.tolist()))


def balanced_accuracy(is_right: NDArray[np.floating | np.bool_], sites: NDArray[np.integer]) -> float:
    """Average the share of right answers over the sites that are there.

    Parameters
    ----------
    is_right : (n,) array of bool or float
    sites : (n,) array of int
        From 0, of each scan.

    Examples
    --------
    >>> balanced_accuracy(np.array([True, True, True, False]), np.array([0, 0, 0, 1]))
    0.5
    """
    counts = np.bincount(sites)
    shares = np.bincount(sites, weights=is_right)[counts > 0] / counts[counts > 0]
    return float(np.mean(shares))


def checked_scans(
    features: ArrayLike, sites: ArrayLike, subjects: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Take features as floats and labels as numbers from 0, or say what is wrong; as `probe_site`."""
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(f"the features have the shape {values.shape}, expected scans by features", hint="give a table")
    if not np.isfinite(values).all():
        raise InputError("there are features that are not finite (NaN or infinity)", hint="leave these scans out")
    for name, labels in (("sites", np.asarray(sites)), ("subjects", np.asarray(subjects))):
        if labels.shape != (len(values),):
            raise InputError(f"there are {len(values)} scans and {name} of shape {labels.shape}", hint="one a scan")
    names, site_numbers = np.unique(np.asarray(sites), return_inverse=True)
    subject_numbers = np.unique(np.asarray(subjects), return_inverse=True)[1]
    if len(names) < 2:
        raise InputError("there is one site only, expected at least two to tell apart", hint="add scans of another")
    for number, name in enumerate(names):
        if len(np.unique(subject_numbers[site_numbers == number])) < 2:
            raise InputError(
                f"the site {name} has one subject, expected at least two", hint="when one is held out, one must be left"
            )
    return values, site_numbers, subject_numbers


def draw_folds(sites: NDArray[np.intp], subjects: NDArray[np.intp], *, rng: np.random.Generator, n_folds: int) -> Folds:
    """Divide scans into folds that hold subjects whole and have the sites alike; parameters as of `probe_site`."""
    from sklearn.model_selection import StratifiedGroupKFold

    if n_folds < 2:
        raise InputError(f"there are {n_folds} folds, expected at least 2", hint=f"leave it at {N_FOLDS}")
    n_folds = min(n_folds, int(subjects.max()) + 1, int(np.bincount(sites).max()))
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        # That a site has fewer scans than there are folds is meant.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(splitter.split(np.zeros(len(sites)), sites, subjects))


def held_out_answers(values: NDArray[np.float64], sites: NDArray[np.intp], folds: Folds) -> NDArray[np.intp]:
    """Tell the site of every scan by a classifier that was trained on the other folds.

    Parameters
    ----------
    values : (n, d) ndarray of float
    sites : (n,) ndarray of int
    folds : sequence of (train, test)
        As `draw_folds` returns them.

    Returns
    -------
    answers : (n,) ndarray of int
    """
    from sklearn import config_context
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    answers = np.empty_like(sites)
    scaler, classifier = StandardScaler(), LogisticRegression(max_iter=1000)
    with config_context(skip_parameter_validation=True, assume_finite=True):  # half of the time, of few scans
        for train, test in folds:
            classifier.fit(scaler.fit_transform(values[train]), sites[train])
            answers[test] = classifier.predict(scaler.transform(values[test]))
    return answers


def _balanced_accuracy(rows: NDArray[np.float64]) -> float:
    """Take the balanced accuracy of rows of (site, whether it was told)."""
    return balanced_accuracy(rows[:, 1], rows[:, 0].astype(np.intp))
