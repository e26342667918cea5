"""What a search through a scan has found: a map, and its numbers."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True, eq=False)
class FoundStructures:
    """What a search has found.

    Attributes
    ----------
    contrast : (I, J, K) float32 array
        What is not explained, in the unit of the volume that shows it: above 0 where it shows something bright, below
        where something dark; 0 where nothing was found.
    spacing : (float, float, float)
        mm.
    """

    contrast: NDArray[np.float32]
    spacing: tuple[float, float, float]

    @property
    def n_structures(self) -> int:
        """How many there are: bright and dark are counted apart."""
        return len(self._sizes())

    @property
    def volume_ml(self) -> float:
        """Of all of them, ml."""
        return float(np.sum(self._sizes())) * self._voxel_ml

    @property
    def largest_ml(self) -> float:
        """Of the largest one, ml; 0 where there is none."""
        return float(np.max(self._sizes(), initial=0)) * self._voxel_ml

    def within(self, mask: NDArray[np.bool_]) -> Self:
        """Keep what lies in a mask.

        Parameters
        ----------
        mask : (I, J, K) bool array
        """
        return type(self)(np.where(mask, self.contrast, np.float32(0)), self.spacing)

    @property
    def _voxel_ml(self) -> float:
        return float(np.prod(self.spacing)) / 1000

    def _sizes(self) -> NDArray[np.intp]:
        """Return the voxels of each."""
        sizes = [np.bincount(number_parts(sign * self.contrast > 0)[0].ravel())[1:] for sign in (1, -1)]
        return np.concatenate(sizes)


def number_parts(where: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Give a number to each part that hangs together, across corners, too.

    Parameters
    ----------
    where : (I, J, K) bool array

    Returns
    -------
    parts : (I, J, K) int array
        From 1; 0 where there is nothing.
    n_parts : int

    Examples
    --------
    >>> number_parts(np.eye(3, dtype=bool)[None])[1]
    1
    """
    parts, n_parts = ndimage.label(where, structure=np.ones((3, 3, 3)))
    return parts, int(n_parts)
