"""Shapes of masks that head and brain masks are made with."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BoolArray = NDArray[np.bool_]


def ball(radius: float, spacing: tuple[float, ...]) -> BoolArray:
    """
    Make a ball, to erode or dilate with.

    Parameters
    ----------
    radius : float
        mm.
    spacing : three floats
        mm.

    Examples
    --------
    >>> ball(1.0, (1.0, 1.0, 2.0)).shape, ball(1.0, (1.0, 1.0, 2.0)).sum().item()
    ((3, 3, 1), 5)
    """
    half = [int(radius // s) for s in spacing]
    offsets = np.ogrid[tuple(slice(-h, h + 1) for h in half)]
    distances = sum((offset * s) ** 2 for offset, s in zip(offsets, spacing, strict=True))
    return np.asarray(distances <= radius**2)


def largest_part(mask: BoolArray) -> BoolArray:
    """
    Keep the largest connected part; of parts alike, the first.

    Parameters
    ----------
    mask : (I, J, K) bool ndarray
        An empty one stays empty.
    """
    labels, n_parts = ndimage.label(mask)
    if n_parts <= 1:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())
