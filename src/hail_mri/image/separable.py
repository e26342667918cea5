"""One matrix along each axis of a volume: area means, interpolation and smoothing are all of this kind.

`tensordot` copies the whole volume into another axis order first. Here every product is made where the voxels lie, in
the order that keeps what is between small; the result is the same up to rounding.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def along_axes(data: FloatArray, matrices: Sequence[FloatArray]) -> FloatArray:
    """Apply one matrix along each axis.

    Parameters
    ----------
    data : (I, J, K) ndarray
        Any memory layout.
    matrices : three ndarrays, (i, I), (j, J), (k, K)

    Returns
    -------
    result : (i, j, k) ndarray
        Contiguous, last axis fastest.

    Examples
    --------
    >>> ones, mean = np.ones((2, 4, 6), np.float32), np.full((1, 4), 0.25, np.float32)
    >>> along_axes(ones, [np.eye(2, dtype=np.float32), mean, np.eye(6, dtype=np.float32)]).shape
    (2, 1, 6)
    """
    if data.flags.f_contiguous and not data.flags.c_contiguous:  # as files are read: the same, seen from behind
        return np.ascontiguousarray(_product(data.T, *reversed(matrices)).T)
    return _product(np.ascontiguousarray(data), *matrices)


def _product(data: FloatArray, first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """Apply the matrices to a contiguous volume, last axis first if that makes it smaller."""
    if len(third) <= data.shape[2]:
        return _on_first(np.matmul(second, data @ third.T), first)
    return np.matmul(second, _on_first(data, first)) @ third.T


def _on_first(data: FloatArray, matrix: FloatArray) -> FloatArray:
    """Apply a matrix along the first axis."""
    return (matrix @ data.reshape(len(data), -1)).reshape(-1, *data.shape[1:])
