"""Scans that look unlike the others of their site once they are harmonized.

References
----------
Wilson, Hilferty: The distribution of chi-square. PNAS 1931, doi:10.1073/pnas.17.12.684 (the cube root).
Rousseeuw, Croux: Alternatives to the median absolute deviation. JASA 1993, doi:10.1080/01621459.1993.10476408.
Iglewicz, Hoaglin: How to Detect and Handle Outliers. ASQC Quality Press 1993 (3.5 robust deviations).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST_OF_SITE = 4  # with fewer, none is unlike the others
FEWEST_SCANS = 8  # of all such sites: the spread of their distances decides
LIMIT = 3.5
NORMAL = 1.4826  # times the median absolute deviation: the standard deviation, if the distribution is normal
SMALLEST_SPREAD = 0.003  # of white matter: what is smaller is noise of a measurement and no look


def robust_distances(looks: ArrayLike, sites: ArrayLike) -> NDArray[np.float64]:
    """
    Return how far each scan is from the middle of its site.

    Parameters
    ----------
    looks : (n, d) array-like of float
        Features on the scan's white matter, all finite.
    sites : (n,) array-like of str

    Returns
    -------
    distances : (n,) ndarray of float
        Root mean square over features of the deviation from the site's median, in units of the spread within sites;
        NaN in sites of fewer than `FEWEST_OF_SITE` scans.

    Notes
    -----
    The spread of a feature is that of the deviations of all scans from their sites' medians (median absolute deviation
    times 1.4826): one for all sites, for a site has few scans. Features count alike, whether or not they go together.
    """
    values, names = np.asarray(looks, np.float64), np.asarray(sites, dtype=object)
    deviations = np.full(values.shape, np.nan)
    for name in set(names.tolist()):
        of_site = names == name
        if np.count_nonzero(of_site) >= FEWEST_OF_SITE:
            deviations[of_site] = values[of_site] - np.median(values[of_site], axis=0)
    counted = np.isfinite(deviations).all(axis=1)
    if not counted.any():
        return np.full(len(values), np.nan)
    spread = np.maximum(NORMAL * np.median(np.abs(deviations[counted]), axis=0), SMALLEST_SPREAD)
    return np.sqrt(((deviations / spread) ** 2).mean(axis=1))


def far_limit(distances: ArrayLike) -> float | None:
    """
    Return the distance beyond which a scan is an outlier.

    Parameters
    ----------
    distances : (n,) array-like of float
        Of `robust_distances`; NaN does not count.

    Returns
    -------
    limit : float or None
        The median plus `LIMIT` robust standard deviations, both of the cube root of squared distances, which is nearly
        normal where features are; None with fewer than `FEWEST_SCANS` distances.
    """
    known = np.asarray(distances, np.float64)
    known = known[np.isfinite(known)]
    if len(known) < FEWEST_SCANS:
        return None
    roots = np.cbrt(known**2)
    middle = float(np.median(roots))
    return (middle + LIMIT * NORMAL * float(np.median(np.abs(roots - middle)))) ** 1.5
