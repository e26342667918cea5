"""How well a classifier still tells the site from features of the scans: after a good harmonization, by chance only.

Subjects are held out whole: a classifier that has seen a subject knows the person, and with it often the site.

References
----------
Hastie, Tibshirani, Friedman: The Elements of Statistical Learning. Springer 2009, sections 4.4 and 7.10.
Brodersen, Ong, Stephan, Buhmann: The balanced accuracy and its posterior distribution. ICPR 2010,
doi:10.1109/ICPR.2010.764.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.bootstrap import Interval, bootstrap_interval

N_FOLDS = 5


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
    """

    balanced_accuracy: Interval
    chance: float
    n_folds: int


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
    values, site_numbers, subject_numbers = _checked(features, sites, subjects)
    if n_folds < 2:
        raise InputError(f"there are {n_folds} folds, expected at least 2", hint=f"leave it at {N_FOLDS}")
    n_folds = min(n_folds, int(subject_numbers.max()) + 1, int(np.bincount(site_numbers).max()))
    answers = _held_out_answers(values, site_numbers, subject_numbers, n_folds=n_folds, rng=rng)
    accuracy = bootstrap_interval(
        np.stack([site_numbers, answers], axis=1), subject_numbers, rng=rng, statistic=_balanced_accuracy
    )
    return SiteProbe(accuracy, 1 / (int(site_numbers.max()) + 1), n_folds)


def _checked(
    features: ArrayLike, sites: ArrayLike, subjects: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Take features as floats and labels as numbers from 0, or say what is wrong."""
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


def _held_out_answers(
    values: NDArray[np.float64],
    sites: NDArray[np.intp],
    subjects: NDArray[np.intp],
    *,
    n_folds: int,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Tell the site of every scan by a classifier that knows none of its subject's."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=int(rng.integers(2**31)))
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    with warnings.catch_warnings():
        # That a site has fewer scans than there are folds is meant: see `n_folds`.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return np.asarray(cross_val_predict(classifier, values, sites, groups=subjects, cv=folds))


def _balanced_accuracy(rows: NDArray[np.float64]) -> float:
    """Average the share of right answers over the sites that are there; rows of (site, answer)."""
    numbers = rows[:, 0].astype(np.intp)
    right = np.bincount(numbers, weights=rows[:, 0] == rows[:, 1])
    counts = np.bincount(numbers)
    return float(np.mean(right[counts > 0] / counts[counts > 0]))
