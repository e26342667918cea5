"""Two arrays on one grid, checked before they are compared voxel by voxel."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hail_mri.errors import InputError


def on_one_grid(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Take two arrays as arrays of float.

    Parameters
    ----------
    first, second : (...) array-like
        One shape; integers become float64, so that no difference of theirs wraps around.

    Raises
    ------
    InputError
        If shapes differ, the arrays are empty, or a value is not finite.

    Examples
    --------
    >>> on_one_grid([1, 2], [3.5, 4.5])
    (array([1., 2.]), array([3.5, 4.5]))
    """
    a, b = _as_float(first), _as_float(second)
    if a.shape != b.shape:
        raise InputError(f"the shapes differ: {a.shape} and {b.shape}", hint="resample one to the other's grid")
    if a.size == 0:
        raise InputError("the arrays are empty", hint="give at least one voxel")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("there are values that are not finite (NaN or infinity)", hint="mask or replace them first")
    return a, b


def volumes_on_one_grid(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Take two volumes as arrays of float.

    Parameters
    ----------
    first, second : (I, J, K) array-like

    Raises
    ------
    InputError
        As `on_one_grid`, and if they are not three-dimensional.

    Examples
    --------
    >>> [volume.shape for volume in volumes_on_one_grid([[[0.0, 1.0]]], [[[2.0, 3.0]]])]
    [(1, 1, 2), (1, 1, 2)]
    """
    a, b = on_one_grid(first, second)
    if a.ndim != 3:
        raise InputError(f"volumes have three dimensions, not the shape {a.shape}", hint="give the whole volume")
    return a, b


def mask_on_grid(mask: ArrayLike | None, shape: tuple[int, ...], name: str = "mask") -> NDArray[np.bool_]:
    """Take a mask as an array of bool; without one, everywhere.

    Parameters
    ----------
    mask : (...) bool array-like or None
    shape : tuple of int
        Of the arrays it belongs to.
    name : str
        Of the mask, for the message.

    Raises
    ------
    InputError
        If it has another shape, or is empty.

    Examples
    --------
    >>> mask_on_grid(None, (2,))
    array([ True,  True])
    """
    if mask is None:
        return np.ones(shape, dtype=bool)
    inside = np.asarray(mask, dtype=bool)
    if inside.shape != shape:
        raise InputError(
            f"the {name} has the shape {inside.shape}, the arrays have {shape}", hint="give it on their grid"
        )
    if not inside.any():
        raise InputError(f"the {name} is empty", hint="leave it out to look everywhere")
    return inside


def _as_float(values: ArrayLike) -> NDArray[np.floating]:
    """Keep floats as they are, and make float64 of all else."""
    array = np.asarray(values)
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)
