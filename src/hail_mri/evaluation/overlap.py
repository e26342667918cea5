"""How well two masks of one structure agree: Dice's coefficient.

References
----------
Dice: Measures of the amount of ecologic association between species. Ecology 1945, doi:10.2307/1932409.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.structures import Structures, label_map, structure_masks


def dice(first: ArrayLike, second: ArrayLike) -> Measurement:
    """Compare the overlap of two masks with their sizes.

    Parameters
    ----------
    first, second : (...) bool array-like
        One grid; anything but 0 is inside.

    Returns
    -------
    Measurement
        ``2 |A ∩ B| / (|A| + |B|)``, 0 to 1. Undefined where both masks are empty.

    Raises
    ------
    InputError
        If shapes differ or there are no voxels.

    Examples
    --------
    >>> dice([1, 1, 0, 0], [0, 1, 1, 0]).value
    0.5
    >>> dice([0, 0], [0, 0])
    Measurement(value=None, reason='both masks are empty')
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    _check_one_grid(a, b)
    size = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    if size == 0:
        return Measurement.undefined("both masks are empty")
    return Measurement(2 * int(np.count_nonzero(a & b)) / size)


def dice_of_structures(
    first_labels: ArrayLike, second_labels: ArrayLike, structures: Structures
) -> dict[str, Measurement]:
    """Compare each structure of two label maps.

    Parameters
    ----------
    first_labels, second_labels : (...) array-like of whole numbers
        One grid.
    structures : mapping of str to collection of int
        Labels by name.

    Returns
    -------
    dict of str to Measurement
        0 to 1, by name, in the order given; undefined where neither has the structure.

    Raises
    ------
    InputError
        If shapes differ, or as `label_map` and `structure_masks`.

    Examples
    --------
    >>> dice_of_structures([1, 1, 2, 2], [1, 2, 2, 2], {"grey matter": (1,), "white matter": (2,)})
    {'grey matter': Measurement(value=0.6666666666666666, reason=''), 'white matter': Measurement(value=0.8, reason='')}
    """
    a, b = label_map(first_labels, "first label map"), label_map(second_labels, "second label map")
    _check_one_grid(a, b)
    pairs = zip(structure_masks(a, structures), structure_masks(b, structures), strict=True)
    return {name: dice(in_a, in_b) for (name, in_a), (_, in_b) in pairs}


def _check_one_grid(a: NDArray[np.generic], b: NDArray[np.generic]) -> None:
    """Refuse arrays that cannot be compared voxel by voxel."""
    if a.shape != b.shape:
        raise InputError(f"the shapes differ: {a.shape} and {b.shape}", hint="resample one to the other's grid")
    if a.size == 0:
        raise InputError("the masks have no voxels", hint="give at least one")
