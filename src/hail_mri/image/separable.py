"""One matrix along each axis of a volume: area means, interpolation and smoothing are all of this kind.

`tensordot` copies the whole volume into another axis order first. Here every product is made where the voxels lie, in
the order that keeps what is between small; the result is the same up to rounding. The same lines serve numpy and torch.
"""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

ArrayT = TypeVar("ArrayT", bound=Any)  # a numpy array, or a torch tensor, through which gradients flow
KERNEL_REACH = 4.0  # of a Gaussian, in standard deviations on each side


def along_axes(data: ArrayT, matrices: Sequence[ArrayT]) -> ArrayT:
    """Apply one matrix along each axis.

    Parameters
    ----------
    data : (..., I, J, K) ndarray or Tensor
        Any memory layout.
    matrices : three of the same kind, (i, I), (j, J), (k, K)

    Returns
    -------
    result : (..., i, j, k)
        Contiguous, last axis fastest.

    Examples
    --------
    >>> ones, mean = np.ones((2, 4, 6), np.float32), np.full((1, 4), 0.25, np.float32)
    >>> along_axes(ones, [np.eye(2, dtype=np.float32), mean, np.eye(6, dtype=np.float32)]).shape
    (2, 1, 6)
    """
    array: Any = data
    if isinstance(array, np.ndarray) and array.ndim == 3 and not array.flags.c_contiguous and array.flags.f_contiguous:
        # As files are read: the same, seen from behind.
        array, matrices = array.T, matrices[::-1]
        return cast("ArrayT", np.ascontiguousarray(_product(array, *matrices).T))
    return cast("ArrayT", _product(array, *matrices))


def gaussian_weights(n: int, sigma: float) -> NDArray[np.float32]:
    """Make the matrix that smooths an axis with a Gaussian; beyond the axis is nothing.

    Parameters
    ----------
    n : int
        Voxels along the axis.
    sigma : float
        Standard deviation, voxels.

    Returns
    -------
    (n, n) ndarray of float32
        Rows add up to 1, to less near the ends.

    Examples
    --------
    >>> (100 * gaussian_weights(3, 0.5)).astype(int).tolist()
    [[78, 10, 0], [10, 78, 10], [0, 10, 78]]
    """
    reach = max(n, int(np.ceil(KERNEL_REACH * 2 * sigma)))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    steps = np.arange(n)[:, None] - np.arange(n)
    return (taps[steps + reach] / taps.sum()).astype(np.float32)


def _product(data: Any, first: Any, second: Any, third: Any) -> Any:
    """Apply the matrices to a volume, last axis first if that makes it smaller."""
    if len(third) <= data.shape[-1]:
        return _on_first(second @ (data @ third.T), first)
    return (second @ _on_first(data, first)) @ third.T


def _on_first(data: Any, matrix: Any) -> Any:
    """Apply a matrix along the first of the three axes."""
    *leading, n, j, k = data.shape
    return (matrix @ data.reshape(*leading, n, j * k)).reshape(*leading, len(matrix), j, k)
