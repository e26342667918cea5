"""Structures of a label map: names for sets of labels.

Terms
-----
label map
    One whole number a voxel, as `segment` and FreeSurfer's segmentations have them.
structure
    One or several labels under one name, such as the left and the right cortex as grey matter.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError

Structures = Mapping[str, Collection[int]]


def label_map(labels: ArrayLike, name: str) -> NDArray[np.integer]:
    """Take labels as an array of whole numbers.

    Parameters
    ----------
    labels : (...) array-like of whole numbers
        Floats that are whole are taken, too.
    name : str
        Of the label map, for the message.

    Raises
    ------
    InputError
        If there is no voxel, or a label is not a whole number.

    Examples
    --------
    >>> label_map([0.0, 2.0], "source's label map")
    array([0, 2])
    """
    array = np.asarray(labels)
    if array.size == 0:
        raise InputError(f"the {name} is empty", hint="give at least one voxel")
    if np.issubdtype(array.dtype, np.bool_) or np.issubdtype(array.dtype, np.integer):
        return array.astype(np.uint8) if array.dtype == bool else array
    whole = array.astype(np.int64) if np.isfinite(array).all() else None
    if whole is None or not np.array_equal(whole, array):
        raise InputError(f"the {name} has labels that are not whole numbers", hint="resample it by nearest neighbour")
    return whole


def structure_masks(labels: NDArray[np.integer], structures: Structures) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Mark the voxels of each structure.

    Parameters
    ----------
    labels : (...) array of int
        As `label_map` returns it.
    structures : mapping of str to collection of int
        The labels of each structure by its name.

    Yields
    ------
    name : str
    mask : (...) array of bool
        All False where the structure does not occur.

    Raises
    ------
    InputError
        If there is no structure, or one has no label.

    Examples
    --------
    >>> labels = np.array([3, 42, 2, 0])
    >>> {name: mask.tolist() for name, mask in structure_masks(labels, {"grey matter": (3, 42)})}
    {'grey matter': [True, True, False, False]}
    """
    if not structures:
        raise InputError("there are no structures to measure", hint='name some, such as {"white matter": (2, 41)}')
    for name, values in structures.items():
        if not values:
            raise InputError(f"the structure {name!r} has no labels", hint="give at least one")
        yield name, np.isin(labels, list(values))
