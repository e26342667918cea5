"""White-matter intensity: what sets a scan's scale.

Fat is the brightest tissue of a whole head, is suppressed by one protocol and not by the next, and is gone after
skull-stripping, so no percentile of the head means the same everywhere. White matter is what every T1-weighted scan of
a brain has in its middle, and it is the brightest tissue there. It is read where the brain must be: below the
vertex, away from the sides.
"""

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError

DEPTH = (25.0, 100.0)  # mm below the vertex
CENTRAL = 0.6  # share of the head's width and length there
PERCENTILE = 75.0  # nearly half of these voxels are white matter


def measured_white_matter(data: NDArray[np.floating], weight: NDArray[np.floating], spacing: float) -> float:
    """Estimate the intensity of white matter.

    Parameters
    ----------
    data : (i, j, k) array
        A coarse volume (a few mm), axes in the order R, A, S, any unit.
    weight : (i, j, k) array, 0 to 1
        Share of the head, or of the brain, in each voxel.
    spacing : float
        Isotropic, mm.

    Returns
    -------
    intensity : float
        In the units of `data`. Good to about 5 %; the same on a whole head and a skull-stripped one.

    Raises
    ------
    InputError
        If the weight is nowhere above one half.
    """
    inside = weight > 0.5
    if not inside.any():
        raise InputError("no head was found in the scan", hint="give a T1-weighted scan of a head")
    slices = np.flatnonzero(inside.any(axis=(0, 1)))
    top, height = int(slices[-1]), len(slices)
    # A head cut by the field of view may be lower than the window; then the window shrinks with it.
    first = top - round(min(DEPTH[1] / spacing, height))
    last = top - round(min(DEPTH[0] / spacing, height / 4))
    slab = np.zeros_like(inside)
    slab[:, :, max(0, first) : last + 1] = inside[:, :, max(0, first) : last + 1]
    for axis in (0, 1):
        others = tuple(a for a in range(3) if a != axis)
        span = np.flatnonzero(slab.any(axis=others))
        middle, half = (span[0] + span[-1]) / 2, CENTRAL * (span[-1] - span[0] + 1) / 2
        away = np.abs(np.arange(slab.shape[axis]) - middle) > half
        if (central := slab & ~np.expand_dims(away, others)).any():  # a mask may have nothing in its middle
            slab = central
    return float(np.percentile(data[slab], PERCENTILE))
