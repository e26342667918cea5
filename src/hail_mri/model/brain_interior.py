"""Where a scan is brain for certain, whatever a tissue map calls it there.

What takes up contrast agent, bleeds or calcifies is as bright as nothing in a healthy brain: a tissue map calls it fat,
marrow or blood. Deep in the brain there is none of these to speak of, and what they become at another site says nothing
of a lesion.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.model.tissue_classes import BACKGROUND, BRAIN, TISSUE_CLASSES

OUTSIDE_BRAIN = tuple(k for k in range(len(TISSUE_CLASSES)) if k not in (*BRAIN, BACKGROUND))
# mm below the surface of the brain with its fluid: there is no doubt beyond the second, and vessels and the fat of the
# scalp have no say; above the first, a map of 2 mm may be wrong by that much.
FROM_DEPTH, TO_DEPTH = 6.0, 10.0


def brain_interior(brain: NDArray[np.bool_], spacing: float) -> NDArray[np.float32]:
    """
    Return how certainly each voxel is deep in the brain, (i, j, k) float32, 0 to 1.

    Parameters
    ----------
    brain : (i, j, k) bool ndarray
        Brain and fluid; holes count as brain.
    spacing : float
        Isotropic, mm.

    Examples
    --------
    >>> brain_interior(np.ones((1, 1, 30), bool), 2.0).min()
    np.float32(1.0)
    """
    filled = ndimage.binary_fill_holes(brain)
    if filled is None or filled.all():  # beyond the field of view the brain goes on
        return np.ones(brain.shape, np.float32)
    padded = np.pad(filled, 1, mode="edge")
    depth = spacing * ndimage.distance_transform_edt(padded)[1:-1, 1:-1, 1:-1]
    return np.clip((depth - FROM_DEPTH) / (TO_DEPTH - FROM_DEPTH), 0, 1).astype(np.float32)
