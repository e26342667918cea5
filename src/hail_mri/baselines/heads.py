"""Where a baseline looks: in the mask it is given, or in the head that is found."""

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask


def mask_or_head(volume: Volume, mask: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Take the given mask, or find the head.

    Parameters
    ----------
    volume : Volume
    mask : bool array of the volume's shape, or None

    Returns
    -------
    (I, J, K) bool array

    Raises
    ------
    InputError
        If the mask is empty or of another shape, or no head is found.
    """
    if mask is None:
        return head_mask(volume)
    inside = np.asarray(mask, dtype=bool)
    if inside.shape != volume.shape:
        raise InputError(
            f"the mask has the shape {inside.shape}, its volume has {volume.shape}", hint="give it on the scan's grid"
        )
    if not inside.any():
        raise InputError("the mask is empty", hint="leave it out, and the head is found")
    return inside
