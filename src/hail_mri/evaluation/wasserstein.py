"""How far a histogram has moved: Wasserstein distances of intensities.

Terms
-----
i, t, p
    Input (source), target and prediction (harmonized source), as named in equation 1 of the paper.

References
----------
HAIL, the paper: section 2.2, equation 1.
Ramdas, García Trillos, Cuturi: On Wasserstein two-sample testing and related families of nonparametric tests. Entropy
2017, doi:10.3390/e19020047 (the distance as the area between two quantile functions).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError

SMALLEST_WAY = 0.005  # of the interquartile range: a share of a shorter way is a share of noise and anatomy
NOTHING_TO_MOVE = "source and target have as good as one histogram, so there is no way of which a share could be told"


@dataclass(frozen=True)
class NormalizedDistance:
    """Hold the paper's two normalized Wasserstein distances.

    Attributes
    ----------
    ip, tp : float or None
        nWD(i,p) and nWD(t,p) in percent, from 0, not bounded above; both None where they are undefined.
    reason : str
        Why they are undefined; empty where they are not.
    whole_way : float or None
        WD(i,t), of which they are shares, in the unit of the intensities; None where source or target is missing.
    """

    ip: float | None
    tp: float | None
    reason: str = ""
    whole_way: float | None = field(default=None, compare=False, repr=False)


def wasserstein_distance(first: ArrayLike, second: ArrayLike) -> float:
    """Measure how far intensities have to be moved to make one histogram of the other.

    Parameters
    ----------
    first, second : array-like
        Intensities in one unit, any shapes; select those of a mask before.

    Returns
    -------
    float
        The first Wasserstein distance, in the unit of the intensities, from 0.

    Raises
    ------
    InputError
        If one is empty or has a value that is not finite.

    Notes
    -----
    Exact, without bins, by the area between the two quantile functions: the same as
    `scipy.stats.wasserstein_distance`, but about ten times faster on the voxels of a head.

    Examples
    --------
    >>> wasserstein_distance([0.0, 1.0], [10.0, 11.0])
    10.0
    """
    return _distance_of_sorted(_sorted_sample(first), _sorted_sample(second))


def nwd(source: ArrayLike, target: ArrayLike, harmonized: ArrayLike) -> NormalizedDistance:
    """Compute the paper's normalized Wasserstein distances, equation 1.

    Parameters
    ----------
    source, target, harmonized : array-like
        Intensities in one unit (in the paper: scaled to [0, 1]), any shapes; select those of a mask before.

    Returns
    -------
    NormalizedDistance
        ``WD(i, p) / WD(i, t)`` and ``WD(t, p) / WD(i, t)`` in percent: near 100 and near 0 when the histogram has moved
        all the way. Both are undefined when source and target have as good as one histogram (WD(i, t) less than 0.5 %
        of the mean of their interquartile ranges, or at most 1.2e-7 of the largest intensity, the precision of
        float32): then there was nothing to move, and a share of it may be thousands of percent.

    Raises
    ------
    InputError
        If one is empty or has a value that is not finite.

    Notes
    -----
    A histogram says nothing of anatomy: exact histogram matching reaches 100 and 0 whatever it does to the tissues. And
    it depends on anatomy: two people with more and less fluid have two histograms at one site. `nwd_of_structures`
    does not mix the two.

    Examples
    --------
    >>> nwd([0.0, 1.0], [10.0, 11.0], [9.0, 10.0])
    NormalizedDistance(ip=90.0, tp=10.0, reason='')
    >>> nwd([0.0, 1.0], [1.0, 0.0], [9.0, 10.0]).reason
    'source and target have as good as one histogram, so there is no way of which a share could be told'
    """
    i, t, p = _sorted_sample(source), _sorted_sample(target), _sorted_sample(harmonized)  # as named in equation 1
    whole_way = _distance_of_sorted(i, t)
    if whole_way <= _smallest_way(i, t):
        return NormalizedDistance(None, None, NOTHING_TO_MOVE, whole_way)
    ip, tp = (100 * _distance_of_sorted(end, p) / whole_way for end in (i, t))
    return NormalizedDistance(ip, tp, whole_way=whole_way)


def _smallest_way(i: NDArray[np.floating], t: NDArray[np.floating]) -> float:
    """Return up to which distance two sorted samples have as good as one histogram."""
    largest = max(abs(float(end)) for end in (i[0], i[-1], t[0], t[-1]))
    spread = np.mean([float(a[3 * a.size // 4]) - float(a[a.size // 4]) for a in (i, t)])
    return max(float(np.finfo(np.float32).eps) * largest, SMALLEST_WAY * float(spread))


def _sorted_sample(values: ArrayLike) -> NDArray[np.floating]:
    """Sort intensities, or raise when there is none or one is not a number."""
    sample = np.sort(np.asarray(values), axis=None)
    if sample.size == 0:
        raise InputError("there are no intensities to compare", hint="give at least one voxel")
    if not np.isfinite(sample[[0, -1]]).all():  # NaN is sorted to the end
        raise InputError("there are values that are not finite (NaN or infinity)", hint="mask or replace them first")
    return sample


def _distance_of_sorted(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Integrate the distance of two quantile functions, which are constant between the multiples of 1/n and of 1/m."""
    n, m = a.size, b.size
    # In units of 1/(n m) all steps are whole numbers, so that nothing is lost to rounding.
    steps = np.concatenate([np.arange(1, n + 1) * m, np.arange(1, m + 1) * n])
    steps.sort(kind="stable")  # two sorted runs: this only merges them
    widths = np.diff(steps, prepend=0)
    distances = np.abs(a[(steps - 1) // m].astype(np.float64) - b[(steps - 1) // n])
    return float(distances @ widths) / (n * m)
