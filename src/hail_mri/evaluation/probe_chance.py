"""What a site probe gives by chance, and whether it tells sites better or worse than before.

With fifteen scans one answer more or less is seven percent, and guessing comes far: an accuracy means nothing without
what chance gives on the same scans.

References
----------
Ojala, Garriga: Permutation tests for studying classifier performance. Journal of Machine Learning Research 2010,
11:1833-1863 (test 1).
Phipson, Smyth: Permutation p-values should never be zero. Statistical Applications in Genetics and Molecular Biology
2010, doi:10.2202/1544-6115.1585.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.evaluation.bootstrap import LEVEL, Interval, bootstrap_interval
from hail_mri.evaluation.site_probe import (
    N_FOLDS,
    balanced_accuracy,
    checked_scans,
    draw_folds,
    held_out_answers,
)

N_PERMUTATIONS = 99  # a classifier is trained for each and each fold; the p-value is at least 1/100
N_SWAPS = 9999
NEGLIGIBLE = 1e-9  # of accuracies that are equal but for rounding


@dataclass(frozen=True)
class ProbeChance:
    """Hold what a probe gives where the features do not know the site.

    Attributes
    ----------
    low, high : float
        Between which 95 % of the balanced accuracies lie, 0 to 1.
    p_value : float
        Share of them that are at least as high as the one that was found, itself counted.
    n_permutations : int
    least_p : float
        The smallest p-value that there could be: one over the number of permutations, or of ways to give the sites to
        the scans where these are fewer. 1 if no scan could be given the features of another site.
    """

    low: float
    high: float
    p_value: float
    n_permutations: int
    least_p: float


@dataclass(frozen=True)
class ProbeChange:
    """Hold by how much a probe tells the sites of the same scans otherwise than before.

    Attributes
    ----------
    difference : Interval
        Of the balanced accuracies, after less before, with its interval by subject.
    p_value : float
        Two-sided: how often a difference as large comes of answers before and after that are exchanged at random.
    """

    difference: Interval
    p_value: float


def probe_chances(
    states: Sequence[ArrayLike],
    sites: ArrayLike,
    subjects: ArrayLike,
    *,
    rng: np.random.Generator,
    n_permutations: int = N_PERMUTATIONS,
) -> list[ProbeChance]:
    """
    Find what a site probe gives by chance.

    Parameters
    ----------
    states : sequence of (n, d) array-like of float
        Features of the same scans, such as before and after.
    sites, subjects : (n,) array-like
        As of `probe_site`.
    rng : numpy.random.Generator
        In the state that `probe_site` is given: the folds are the same ones then.
    n_permutations : int

    Returns
    -------
    chances : list of ProbeChance
        For each state, by the same permutations.

    Raises
    ------
    InputError
        As `probe_site`.

    Notes
    -----
    Scans are given the features of others, whole subjects those of subjects with as many scans, and scans those of
    other scans of the subject; sites, subjects and folds stay, and every classifier is trained anew. So it is chance on
    these scans, with these sizes of sites. A subject like whom no other has as many scans keeps its features if all of
    them are of one site: the p-value is too large then, never too small; `least_p` tells if it could be small at all.
    """
    values = [checked_scans(state, sites, subjects)[0] for state in states]
    _, site_numbers, subject_numbers = checked_scans(states[0], sites, subjects)
    folds = draw_folds(site_numbers, subject_numbers, rng=rng, n_folds=N_FOLDS)
    orders = [np.arange(len(site_numbers)), *(_exchanged(subject_numbers, rng) for _ in range(n_permutations))]
    accuracies = np.array(
        [
            [
                balanced_accuracy(held_out_answers(v[order], site_numbers, folds) == site_numbers, site_numbers)
                for v in values
            ]
            for order in orders
        ]
    )
    least_p = max(1 / (1 + n_permutations), math.exp(-_log_ways(site_numbers, subject_numbers)))
    return [
        _chance(found, by_chance, least_p) for found, by_chance in zip(accuracies[0], accuracies[1:].T, strict=True)
    ]


def probe_change(
    before: Sequence[bool], after: Sequence[bool], sites: ArrayLike, subjects: ArrayLike, *, rng: np.random.Generator
) -> ProbeChange:
    """
    Compare two probes of the same scans.

    Parameters
    ----------
    before, after : sequence of bool
        Of each scan: whether its site was told, as `SiteProbe.is_right`.
    sites, subjects : (n,) array-like
        Any labels.
    rng : numpy.random.Generator

    Notes
    -----
    Answers of a subject are exchanged together. That the classifiers would have been trained otherwise on other
    subjects is not in it.

    Examples
    --------
    >>> found = probe_change([0, 1, 1, 1], [1, 1, 1, 1], list("AABB"), range(4), rng=np.random.default_rng(0))
    >>> found.difference.estimate, found.p_value
    (0.25, 1.0)
    """
    site_numbers, subject_numbers = (
        np.unique(np.asarray(labels), return_inverse=True)[1] for labels in (sites, subjects)
    )
    gained = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    difference = bootstrap_interval(
        np.stack([site_numbers, gained], axis=1),
        subject_numbers,
        rng=rng,
        statistic=lambda rows: balanced_accuracy(rows[:, 1], rows[:, 0].astype(np.intp)),
    )
    # A mean of means: each scan counts by one over the scans of its site.
    weighted = gained / np.bincount(site_numbers)[site_numbers] / (site_numbers.max() + 1)
    by_subject = np.bincount(subject_numbers, weights=weighted)
    signs = rng.choice([-1.0, 1.0], size=(N_SWAPS, len(by_subject)))
    as_large = np.abs(signs @ by_subject) >= abs(by_subject.sum()) - NEGLIGIBLE
    return ProbeChange(difference, float((1 + np.count_nonzero(as_large)) / (1 + N_SWAPS)))


def _exchanged(subjects: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return for each scan the number of the scan whose features it is given."""
    rows = [np.flatnonzero(subjects == number) for number in range(int(subjects.max()) + 1)]
    counts = np.array([len(of_subject) for of_subject in rows])
    given = np.empty(len(subjects), np.intp)
    for count in np.unique(counts):
        alike = np.flatnonzero(counts == count)
        for subject, other in zip(alike, rng.permutation(alike), strict=True):
            given[rows[subject]] = rng.permutation(rows[other])
    return given


def _log_ways(sites: NDArray[np.intp], subjects: NDArray[np.intp]) -> float:
    """Return the logarithm of the number of ways in which `_exchanged` can give sites to features."""
    alike: dict[int, list[tuple[int, ...]]] = defaultdict(list)  # by the number of scans: the sites of each subject's
    for number in range(int(subjects.max()) + 1):
        of_subject = tuple(sorted(sites[subjects == number].tolist()))
        alike[len(of_subject)].append(of_subject)
    orders = [_log_orders(of_subject) for group in alike.values() for of_subject in group]
    return sum(orders) + sum(_log_orders(group) for group in alike.values())


def _log_orders(things: Sequence[object]) -> float:
    """Return the logarithm of the number of orders of things, of which some are the same."""
    return math.lgamma(len(things) + 1) - sum(math.lgamma(n + 1) for n in Counter(things).values())


def _chance(found: float, by_chance: NDArray[np.float64], least_p: float) -> ProbeChance:
    """Return what permutations say of an accuracy."""
    low, high = np.quantile(by_chance, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    n_as_high = np.count_nonzero(by_chance >= found - NEGLIGIBLE)
    p_value = float((1 + n_as_high) / (1 + len(by_chance)))
    return ProbeChance(float(low), float(high), p_value, len(by_chance), least_p)
