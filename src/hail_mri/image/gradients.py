"""Gradients of a volume at some of its voxels, and how parallel those of two volumes are.

A *gradient* is a central difference per mm, one-sided at the border of the grid.

References
----------
Haber, Modersitzki: Intensity gradient based registration and fusion of multi-modal images. MICCAI 2006,
doi:10.1007/11866763_89 (normalized gradient fields).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Gradients = NDArray[np.float64]  # (n, 3), per mm
Voxels = Sequence[NDArray[np.intp]]  # three (n,) arrays: indices along each axis


def gradients_at(volume: NDArray[np.floating], voxels: Voxels, spacing: NDArray[np.float64]) -> Gradients:
    """Take the gradients at some voxels.

    Parameters
    ----------
    volume : (I, J, K) ndarray
        At least two voxels along each axis.
    voxels : three (n,) arrays of int
        As `np.nonzero` gives them.
    spacing : (3,) ndarray
        mm.

    Returns
    -------
    (n, 3) ndarray of float64
        In the volume's units per mm, along its own axes.

    Examples
    --------
    >>> ramp = np.arange(4.0)[:, None, None] * np.ones((4, 2, 2))
    >>> gradients_at(ramp, np.nonzero(ramp == 3.0), np.array([2.0, 1.0, 1.0]))[0].tolist()
    [0.5, 0.0, 0.0]
    """
    gradients = np.empty((len(voxels[0]), 3))
    for axis, (index, n, step) in enumerate(zip(voxels, volume.shape, spacing, strict=True)):
        ahead, behind = np.minimum(index + 1, n - 1), np.maximum(index - 1, 0)
        high, low = (volume[(*voxels[:axis], at, *voxels[axis + 1 :])].astype(np.float64) for at in (ahead, behind))
        gradients[:, axis] = (high - low) / ((ahead - behind) * step)
    return gradients


def alignment(first: Gradients, second: Gradients) -> float | None:
    """Average how parallel gradients are: 1 where the second volume is a local map of the first.

    Parameters
    ----------
    first, second : (n, 3) ndarray
        At the same voxels.

    Returns
    -------
    float or None
        The squared cosine of the angle between both, averaged with the first's squared gradient as weight, so that
        edges count and noise in flat regions does not; 0 to 1. Where the second is flat it counts as 0. None where the
        first has no gradient at all.

    Notes
    -----
    The normalized gradient fields of Haber and Modersitzki 2006, with a weight in place of their edge parameter, which
    would have to be chosen for every unit. Dark and bright may be exchanged.

    Examples
    --------
    >>> alignment(np.array([[1.0, 0, 0], [0, 1, 0]]), np.array([[-2.0, 0, 0], [3, 0, 0]]))
    0.5
    """
    weights, powers = (np.einsum("na,na->n", g, g) for g in (first, second))
    if not weights.any():
        return None
    # weight times squared cosine: the weight cancels the first's power
    parallel = np.divide(np.einsum("na,na->n", first, second) ** 2, powers, out=np.zeros_like(powers), where=powers > 0)
    return min(1.0, float(parallel.sum() / weights.sum()))
