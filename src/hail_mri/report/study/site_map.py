"""A map of the scans of a study by the look of their tissues: near each other is what looks alike.

Features of the map: of white matter, grey matter and deep fluid five percentiles each, of each deep tissue the median,
all divided by the median of the scan's own white matter. So a scanner's unit does not count, nor does how much of a
tissue somebody has, nor whether the skull was stripped: what is left is contrast, its spread, noise and shading. Before
and after are put on one scale (mean and standard deviation of all of both) and on the same two axes, the principal
components of both together: distances before and after can be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hail_mri.report.study.features import DEEP_FLUID, DEEP_TISSUES, PERCENTILES, Numbers

FEWEST_SCANS = 3  # for a map
UNIT = "white_matter_median"
MAP_TISSUES = ("white_matter", "grey_matter", DEEP_FLUID)
MAP_FEATURES = tuple(
    [f"{tissue}_p{percentile}" for tissue in MAP_TISSUES for percentile in PERCENTILES]
    + [f"{tissue}_median" for tissue in (*MAP_TISSUES[1:], *DEEP_TISSUES)]
)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Looks:
    """The features of scans that can be compared.

    Attributes
    ----------
    before, after : (n, d) ndarray of float
        On the scan's own white matter.
    is_there : (all,) bool ndarray
        Which scans have all of the features.
    names : (d,) tuple of str
        Of the features, of `MAP_FEATURES`.
    """

    before: FloatArray
    after: FloatArray
    is_there: NDArray[np.bool_]
    names: tuple[str, ...]


@dataclass(frozen=True)
class SiteMap:
    """Where scans lie before and after.

    Attributes
    ----------
    before, after : (n, 2) ndarray of float
        Coordinates, in standard deviations of features.
    explained : (float, float) tuple
        Share of all variance along each axis, 0 to 1.
    """

    before: FloatArray
    after: FloatArray
    explained: tuple[float, float]


def look_of(numbers: Numbers) -> FloatArray:
    """Return the features of the map of one scan, on its white matter; NaN where there is none.

    Parameters
    ----------
    numbers : dict of str to float
        By `intensity_names`; may be empty.

    Examples
    --------
    >>> look = look_of({"white_matter_median": 50.0, "deep_csf_median": 10.0})
    >>> float(look[MAP_FEATURES.index("deep_csf_median")])
    0.2
    """
    white = numbers.get(UNIT, np.nan)
    values = np.array([numbers.get(name, np.nan) for name in MAP_FEATURES])
    return values / white if white > 0 else np.full(len(MAP_FEATURES), np.nan)


def looks_of(before: Sequence[Numbers], after: Sequence[Numbers]) -> Looks:
    """Return the features of scans that can be compared, and which scans these are.

    Parameters
    ----------
    before, after : sequence of dict
        Of each scan, by `intensity_names`.

    Notes
    -----
    Features that more than a tenth of the scans lack, such as those of tissues that a slab does not show, are left out;
    so are scans that lack any of the others.
    """
    states = [
        np.array([look_of(numbers) for numbers in state]).reshape(-1, len(MAP_FEATURES)) for state in (before, after)
    ]
    finite = np.isfinite(states[0]) & np.isfinite(states[1])
    measured = finite.any(axis=1)
    kept = finite[measured].mean(axis=0) >= 0.9 if measured.any() else np.ones(len(MAP_FEATURES), dtype=bool)
    is_there = measured & finite[:, kept].all(axis=1)
    first, second = (state[is_there][:, kept] for state in states)
    return Looks(first, second, is_there, tuple(name for name, keep in zip(MAP_FEATURES, kept, strict=True) if keep))


def site_map(before: FloatArray, after: FloatArray) -> SiteMap | None:
    """Return the map of scans; None with fewer than `FEWEST_SCANS`, or if all look the same.

    Parameters
    ----------
    before, after : (n, d) ndarray of float
        As `looks_of` returns them.
    """
    from sklearn.decomposition import PCA

    if len(before) < FEWEST_SCANS or before.shape[1] < 2:
        return None
    both = np.concatenate([before, after])
    spread = both.std(axis=0)
    if not (spread > 0).any():
        return None
    scaled = (both - both.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    analysis = PCA(n_components=min(2, scaled.shape[1]), svd_solver="full")
    places = analysis.fit_transform(scaled)
    explained = [*analysis.explained_variance_ratio_.tolist(), 0.0][:2]
    if places.shape[1] < 2:
        places = np.column_stack([places, np.zeros(len(places))])
    return SiteMap(places[: len(before)], places[len(before) :], (explained[0], explained[1]))
