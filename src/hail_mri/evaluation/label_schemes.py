"""Which labels of a label map are grey matter, white matter and fluid.

References
----------
FreeSurferColorLUT.txt, as distributed with FreeSurfer 7: numbers of `aseg`, `aparc+aseg` and SynthSeg.
"""

import numpy as np
from numpy.typing import NDArray

from hail_mri.evaluation.structures import Structures

GREY_MATTER, WHITE_MATTER, CSF = "grey matter", "white matter", "csf"

# Of Atropos, FAST and others that number three tissues by their intensity in a T1-weighted scan.
THREE_TISSUES: Structures = {GREY_MATTER: (2,), WHITE_MATTER: (3,), CSF: (1,)}

_CORTEX = (3, 42, *range(1000, 1036), *range(2000, 2036), 8, 47)  # of cerebrum and cerebellum
_NUCLEI = (10, 11, 12, 13, 17, 18, 26, 49, 50, 51, 52, 53, 54, 58)
FREESURFER: Structures = {
    GREY_MATTER: (*_CORTEX, *_NUCLEI),
    WHITE_MATTER: (2, 41, 7, 46, 77, *range(251, 256)),
    CSF: (4, 5, 14, 15, 24, 43, 44),
}


def scheme_of(labels: NDArray[np.integer]) -> Structures:
    """Return which labels stand for what: FreeSurfer's numbers if there is one above 3, else three tissues.

    Examples
    --------
    >>> scheme_of(np.array([0, 1, 2, 3])) is THREE_TISSUES
    True
    >>> scheme_of(np.array([0, 2, 3, 41, 42])) is FREESURFER
    True
    """
    return (
        FREESURFER
        if labels.max(initial=0) > max(n for values in THREE_TISSUES.values() for n in values)
        else THREE_TISSUES
    )
