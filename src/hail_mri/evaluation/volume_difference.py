"""How much the volume of a structure has changed: the paper's relative absolute volume difference (rAVD).

References
----------
HAIL, the paper: section 2.2, equation 2.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from hail_mri.errors import InputError
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.structures import Structures, label_map, structure_masks


def ravd(source_volume: float, harmonized_volume: float) -> Measurement:
    """Compute the relative absolute volume difference, equation 2.

    Parameters
    ----------
    source_volume, harmonized_volume : float
        Of one structure, segmented in the source and in the harmonized scan, in one unit (ml, or voxels of one grid),
        from 0.

    Returns
    -------
    Measurement
        ``|vol(p) - vol(i)| / vol(i)`` in percent, from 0; 100 where the structure is lost. Undefined where the source
        does not have it.

    Raises
    ------
    InputError
        If a volume is negative or not finite.

    Notes
    -----
    Equal volumes need not be equal places: `dice` tells.

    Examples
    --------
    >>> ravd(500.0, 465.0).value
    7.0
    >>> ravd(0.0, 3.0)
    Measurement(value=None, reason='the structure has no volume in the source')
    """
    for volume in (source_volume, harmonized_volume):
        if not (math.isfinite(volume) and volume >= 0):
            raise InputError(f"a volume is {volume}, expected a number from 0", hint="check the table of volumes")
    if source_volume == 0:
        return Measurement.undefined("the structure has no volume in the source")
    return Measurement(100 * abs(harmonized_volume - source_volume) / source_volume)


def ravd_of_structures(
    source_labels: ArrayLike, harmonized_labels: ArrayLike, structures: Structures
) -> dict[str, Measurement]:
    """Compute equation 2 for each structure of two label maps.

    Parameters
    ----------
    source_labels, harmonized_labels : (...) array-like of whole numbers
        One method's label maps of the source and of the harmonized scan; voxels of one size.
    structures : mapping of str to collection of int
        Labels by name.

    Returns
    -------
    dict of str to Measurement
        In percent, by name, in the order given.

    Raises
    ------
    InputError
        As `label_map` and `structure_masks`.

    Examples
    --------
    >>> ravd_of_structures([1, 1, 2, 2], [1, 2, 2, 2], {"grey matter": (1,), "white matter": (2,)})
    {'grey matter': Measurement(value=50.0, reason=''), 'white matter': Measurement(value=50.0, reason='')}
    """
    label_maps = (label_map(source_labels, "source's label map"), label_map(harmonized_labels, "result's label map"))
    voxels = [
        {name: int(np.count_nonzero(mask)) for name, mask in structure_masks(labels, structures)}
        for labels in label_maps
    ]
    return {name: ravd(voxels[0][name], voxels[1][name]) for name in structures}
