"""Jensen-Shannon divergence of intensities, for those who ask.

The paper prefers the Wasserstein distance (section 2.2): of histograms that do not overlap this divergence is 1 however
far they are apart.

References
----------
Lin: Divergence measures based on the Shannon entropy. IEEE Transactions on Information Theory 1991,
doi:10.1109/18.61115.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError

N_BINS = 256  # of equal width over both samples; the number depends on it, so all comparisons use one


def jensen_shannon_divergence(first: ArrayLike, second: ArrayLike, *, n_bins: int = N_BINS) -> float:
    """Compare two histograms with their mixture.

    Parameters
    ----------
    first, second : array-like
        Intensities in one unit, any shapes; select those of a mask before.
    n_bins : int
        Bins of equal width from the lowest to the highest intensity of both.

    Returns
    -------
    float
        In bits, 0 (one histogram) to 1 (no bin in common). It is the divergence; its square root is the distance that
        `scipy.spatial.distance.jensenshannon` returns.

    Raises
    ------
    InputError
        If one is empty or has a value that is not finite, or there are fewer than two bins.

    Examples
    --------
    >>> jensen_shannon_divergence([0.0, 0.0], [1.0, 1.0])
    1.0
    >>> jensen_shannon_divergence([0.0, 1.0], [1.0, 0.0])
    0.0
    """
    if n_bins < 2:
        raise InputError(f"there are {n_bins} bins, expected at least 2", hint=f"leave it at {N_BINS}")
    samples = [np.asarray(values, dtype=np.float64).ravel() for values in (first, second)]
    for sample in samples:
        if sample.size == 0:
            raise InputError("there are no intensities to compare", hint="give at least one voxel")
        if not np.isfinite(sample).all():
            raise InputError("there are values that are not finite (NaN or infinity)", hint="mask them first")
    span = min(sample.min() for sample in samples), max(sample.max() for sample in samples)
    p, q = (np.histogram(sample, n_bins, range=span)[0] / sample.size for sample in samples)
    mixture = (p + q) / 2
    return max(0.0, (_divergence_bits(p, mixture) + _divergence_bits(q, mixture)) / 2)


def _divergence_bits(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Kullback-Leibler divergence of p from q, where q is above 0 wherever p is."""
    used = p > 0
    return float(np.sum(p[used] * np.log2(p[used] / q[used])))
