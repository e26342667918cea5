"""How far the sites of a feature lie apart, beyond what the people of few scans differ by.

A classifier finds a difference, however small, if it is steadier than people differ. How large it is, is told here: the
variance of a feature is that *between* sites and that *within* them, as the random effects of the one-way analysis of
variance have it.

References
----------
Donner: A review of inference procedures for the intraclass correlation coefficient in the one-way random effects model.
International Statistical Review 1986, doi:10.2307/1403259.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError


@dataclass(frozen=True)
class SiteEffect:
    """Hold how far sites lie apart, feature by feature.

    Attributes
    ----------
    between : (d,) ndarray of float
        Standard deviation between sites, in the feature's unit; 0 where the sites differ less than their scans let
        expect.
    within : (d,) ndarray of float
        Standard deviation of the scans of a site.
    """

    between: NDArray[np.float64]
    within: NDArray[np.float64]

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the variance that is the site's, 0 to 1: the intraclass correlation; 0 of what does not vary."""
        total = self.between**2 + self.within**2
        return np.divide(self.between**2, total, out=np.zeros_like(total), where=total > 0)


def site_effect(features: ArrayLike, sites: ArrayLike) -> SiteEffect:
    """
    Divide the variance of features into that between sites and that within them.

    Parameters
    ----------
    features : (n, d) array-like of float
    sites : (n,) array-like
        Any labels.

    Returns
    -------
    SiteEffect

    Raises
    ------
    InputError
        If there is one site only, or no site has two scans; if features are no table of finite numbers.

    Notes
    -----
    Scans count as if each were of another subject. What people of one site have in common (age, disease) is counted as
    the site's.

    Examples
    --------
    >>> found = site_effect([[1.0], [3.0], [5.0], [7.0]], list("AABB"))
    >>> found.between.round(3), found.within.round(3), found.share.round(3)
    (array([2.646]), array([1.414]), array([0.778]))
    """
    values = np.asarray(features, np.float64)
    numbers = np.unique(np.asarray(sites), return_inverse=True)[1]
    if values.ndim != 2 or len(values) != len(numbers) or not np.isfinite(values).all():
        raise InputError(
            f"features of shape {values.shape} of {len(numbers)} scans, expected a row of finite numbers for each"
        )
    counts = np.bincount(numbers)
    n, k = len(values), len(counts)
    if k < 2 or n <= k:
        raise InputError(f"there are {n} scans of {k} sites, expected two sites, and two scans of one of them")
    means = np.stack([values[numbers == number].mean(axis=0) for number in range(k)])
    of_sites = (counts[:, None] * (means - values.mean(axis=0)) ** 2).sum(axis=0) / (k - 1)
    of_scans = ((values - means[numbers]) ** 2).sum(axis=0) / (n - k)
    scans_of_a_site = (n - (counts**2).sum() / n) / (k - 1)  # their number where sites are alike; Donner, section 2
    return SiteEffect(np.sqrt(np.maximum(of_sites - of_scans, 0) / scans_of_a_site), np.sqrt(of_scans))
