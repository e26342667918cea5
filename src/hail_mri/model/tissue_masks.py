"""Masks that a tissue map gives: the head, the brain, and whether there is anything but a brain.

The *brain mask* holds the brain and the fluid around it, as skull-stripping tools leave it; vessels, nerves and the
meninges are outside. A scan is *skull-stripped* if nearly all that is not background is brain or fluid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.model.tissue_classes import BACKGROUND, BRAIN
from hail_mri.preprocess.shapes import ball, largest_part

BoolArray = NDArray[np.bool_]

BRIDGE_RADIUS = 4.0  # mm; what hangs on the brain by less (optic nerves, sinuses, the marrow of the skull) is cut off
CORD_RADIUS, CORD_LENGTH = 12.0, 6.0  # mm; what is thinner, and longer than this, is the spinal cord and its fluid
STRIPPED_FRACTION = 0.85  # of all tissue that is brain; a whole head has 0.2 to 0.5


def head_of(tissue_map: NDArray[np.floating], spacing: float) -> BoolArray:
    """
    Return the voxels of the head, where there is tissue.

    Parameters
    ----------
    tissue_map : (n_classes, i, j, k) ndarray, 0 to 1
        A tissue map.
    spacing : float
        Isotropic, mm.

    Returns
    -------
    mask : (i, j, k) bool ndarray
        One connected piece, as dark as it may be; air in sinuses and throat is not in it. Empty if there is no tissue.
    """
    return _around_core(tissue_map[BACKGROUND] < 0.5, spacing, spacing, spacing)


def brain_mask(tissue_map: NDArray[np.floating], spacing: float) -> BoolArray:
    """
    Return the voxels of the brain, down to where the spinal cord begins.

    Parameters
    ----------
    tissue_map : (n_classes, i, j, k) ndarray, 0 to 1
        A tissue map.
    spacing : float
        Isotropic, mm.

    Returns
    -------
    mask : (i, j, k) bool ndarray
        One connected piece without holes; empty if the map has no brain.
    """
    inside = tissue_map[list(BRAIN)].sum(axis=0) > 0.5
    solid = _around_core(inside, BRIDGE_RADIUS, BRIDGE_RADIUS + spacing, spacing)
    filled = np.asarray(ndimage.binary_fill_holes(largest_part(solid)))
    return largest_part(_without_cord(filled, spacing))


def is_skull_stripped(tissue_map: NDArray[np.floating], weight: NDArray[np.floating]) -> bool:
    """
    Return whether a scan has a brain and next to nothing else.

    Parameters
    ----------
    tissue_map : (n_classes, i, j, k) ndarray, 0 to 1
        A tissue map.
    weight : (i, j, k) ndarray, 0 to 1
        What is measured of each voxel.
    """
    volumes = (tissue_map * weight).sum(axis=(1, 2, 3), dtype=np.float64)
    tissue = volumes.sum() - volumes[BACKGROUND]
    return bool(tissue > 0 and volumes[list(BRAIN)].sum() / tissue > STRIPPED_FRACTION)


def _around_core(mask: BoolArray, depth: float, reach: float, spacing: float) -> BoolArray:
    """Keep what is within reach of the largest part that is left when a depth is taken off, both in mm."""
    # Beyond the grid is as at its border: a field of view that cuts the brain is no surface to erode.
    core = ndimage.binary_erosion(mask, ball(depth, (spacing,) * 3), border_value=1)
    if not core.any():
        return np.zeros_like(mask)
    return np.asarray(mask & ndimage.binary_dilation(largest_part(core), ball(reach, (spacing,) * 3)))


def _without_cord(mask: BoolArray, spacing: float) -> BoolArray:
    """Cut off what is thin and long; a brain of which the field of view left no thick part stays whole."""
    depth = spacing * ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1, 1:-1]
    core = depth > CORD_RADIUS
    if not core.any():
        return mask
    distance = spacing * ndimage.distance_transform_edt(~core)
    return np.asarray(mask & (distance <= CORD_RADIUS + CORD_LENGTH))
