"""A region that is marked in a scan, a lesion say, and what is around it: how it stands out, and how far.

Terms
-----
surround
    What is between `GAP` and `REACH` mm from a region.
core
    The deeper half of each part of a region.
found
    Voxels of region and surround on the core's side of the middle between core and surround, as far as they hang
    together with the core: what a reader who goes by intensity would outline.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BoolArray = NDArray[np.bool_]

GAP, REACH = 1.0, 6.0  # mm
FEWEST_VOXELS = 8  # of a surround


def near_and_around(inside: BoolArray, allowed: BoolArray, spacing: NDArray[np.float64]) -> tuple[BoolArray, BoolArray]:
    """Return the region with what is near it, and its surround.

    Parameters
    ----------
    inside, allowed : (I, J, K) bool ndarray
        The region, and where its surround may be.
    spacing : (3,) ndarray
        mm.
    """
    distance = ndimage.distance_transform_edt(~inside, sampling=spacing)
    near = inside | (allowed & (distance <= REACH))
    return near, near & (distance > GAP)


def difference(volume: NDArray[np.floating], inside: BoolArray, around: BoolArray) -> float:
    """Return the mean of a region minus that of its surround."""
    return float(volume[inside].mean(dtype=np.float64) - volume[around].mean(dtype=np.float64))


def core_of(inside: BoolArray, spacing: NDArray[np.float64]) -> BoolArray:
    """Return the deeper half of each part of a region."""
    depth = ndimage.distance_transform_edt(inside, sampling=spacing)
    parts, n_parts = ndimage.label(inside)
    deepest = np.concatenate([[np.inf], ndimage.maximum(depth, parts, range(1, n_parts + 1))])
    return np.asarray(2 * depth > deepest[parts])


def found_region(volume: NDArray[np.floating], core: BoolArray, near: BoolArray, around: BoolArray) -> BoolArray:
    """Return which voxels of region and surround are on the core's side, and hang together with it."""
    contrast = difference(volume, core, around)
    middle = float(volume[around].mean(dtype=np.float64)) + contrast / 2
    on_its_side = near & ((volume - middle) * np.sign(contrast) > 0)
    parts, _ = ndimage.label(on_its_side)
    return np.isin(parts, np.setdiff1d(parts[core], 0))
