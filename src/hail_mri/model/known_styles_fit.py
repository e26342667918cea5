"""Sum up the styles of training scans, so that it can be told how far another style is from them.

The covariance is shrunk towards a multiple of the identity, since there are more channels than scans.

References
----------
Ledoit and Wolf, J Multivar Anal 88:365 (2004): the shrinkage, and how much of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.covariance import ledoit_wolf
from sklearn.model_selection import GroupKFold

from hail_mri.errors import InputError
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.known_styles import KnownStyles, style_row

N_DIRECTIONS = 64  # at most
N_FOLDS = 5  # at most, of anatomies that are left out in turn
FEWEST_SCANS, FEWEST_ANATOMIES = 8, 2
FEWEST_LEFT = 3  # scans, when anatomies are left out: two lie on a line, and beside it nothing varies
WITHIN = 0.95  # of the training scans
TOO_ALIKE = "the styles of these scans are too alike to tell what styles differ by"
LEAST_SPREAD = 0.5  # of the median channel's: what hardly varies would count for more than all else


def learn_known_styles(styles: Sequence[FeatureStyle], anatomies: ArrayLike) -> KnownStyles:
    """Sum up the styles of training scans.

    Parameters
    ----------
    styles : sequence of FeatureStyle
        Of whole scans.
    anatomies : (n,) array-like
        Whose head each is of: to find the reach, scans of some anatomies at a time are left out.

    Raises
    ------
    InputError
        If there are fewer than 8 scans, or all of one anatomy, or all but one or two; if they are too alike.
    """
    rows, groups = np.array([style_row(style) for style in styles]), np.asarray(anatomies)
    n_anatomies = len(np.unique(groups))
    if len(rows) < FEWEST_SCANS or n_anatomies < FEWEST_ANATOMIES:
        raise InputError(
            f"{len(rows)} scans of {n_anatomies} anatomies tell too little of the styles that are known, expected "
            f"{FEWEST_SCANS} of {FEWEST_ANATOMIES} or more"
        )
    distances = np.empty(len(rows))
    for inside, outside in GroupKFold(min(N_FOLDS, n_anatomies)).split(rows, groups=groups):
        if len(inside) < FEWEST_LEFT:
            raise InputError(
                f"{len(outside)} of {len(rows)} scans are of one anatomy: the others are too few to tell how far apart "
                f"anatomies are, expected {FEWEST_LEFT} or more"
            )
        known = _summed_up(rows[inside], reach=1.0)
        distances[outside] = [known.distance(row) for row in rows[outside]]
    reach = float(np.quantile(distances, WITHIN))
    if reach == 0:
        raise InputError(TOO_ALIKE)
    return _summed_up(rows, reach=reach)


def _summed_up(rows: NDArray[np.float64], *, reach: float) -> KnownStyles:
    """Return the statistics of rows, (n_scans, n)."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    spread = np.maximum(spread, LEAST_SPREAD * max(float(np.median(spread)), 1e-6))
    z = (rows - mean) / spread
    covariance, _ = ledoit_wolf(z, assume_centered=True)
    variances, directions = np.linalg.eigh(covariance)
    n_kept = min(N_DIRECTIONS, len(rows) - 1, len(mean) - 1)
    rest = float(variances[:-n_kept].mean())
    if min(rest, variances[-n_kept]) <= np.finfo(np.float32).tiny:
        raise InputError(TOO_ALIKE)
    return KnownStyles(
        mean.astype(np.float32),
        spread.astype(np.float32),
        directions[:, : -n_kept - 1 : -1].T.astype(np.float32),
        variances[: -n_kept - 1 : -1].astype(np.float32),
        np.array([rest], np.float32),
        np.array([reach], np.float32),
        np.array([len(rows)], np.int32),
    )
