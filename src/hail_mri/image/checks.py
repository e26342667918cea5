"""What a file must hold to be a scan: one 3-D image of grey values, somewhere in space, with some contrast.

Each check raises `InputError` in the user's words, naming the file.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid

# Fewer voxels than this along an axis is a localizer or a cut-out, no scan of a head.
FEWEST_VOXELS = 8


def checked_shape(image: Any, path: Path) -> tuple[int, int, int]:
    """Find the shape of a scan, without axes of length 1 at the end.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        As read; no voxels are touched.
    path : pathlib.Path
        Its file, for the message.

    Returns
    -------
    (I, J, K) tuple of int

    Raises
    ------
    InputError
        When the image is not one 3-D scan, or has fewer than 8 voxels along an axis.
    """
    shape = tuple(int(n) for n in image.shape)
    if len(shape) < 3:
        raise InputError(f"{path} has {len(shape)} dimensions ({_by(shape)}), expected a 3-D scan")
    if any(n != 1 for n in shape[3:]):
        raise InputError(
            f"{path} has {len(shape)} dimensions ({_by(shape)}), expected one 3-D scan",
            hint="extract one volume first, for instance with fslroi or nibabel's slicer",
        )
    if min(shape[:3]) < FEWEST_VOXELS:
        raise InputError(
            f"{path} has {_by(shape[:3])} voxels, expected at least {FEWEST_VOXELS} along every axis",
            hint="give the whole scan, not a slice or a localizer",
        )
    return shape[0], shape[1], shape[2]


def check_is_grey(image: Any, path: Path) -> None:
    """Refuse complex numbers and colours.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        As read; no voxels are touched.
    path : pathlib.Path
        Its file, for the message.

    Raises
    ------
    InputError
        When a voxel holds anything but one real number.
    """
    dtype = image.get_data_dtype()
    if dtype.kind == "c":
        raise InputError(f"{path} holds complex numbers, expected a magnitude image", hint="take the magnitude first")
    if dtype.fields is not None:
        raise InputError(f"{path} holds colours (RGB), expected one intensity per voxel", hint="give the scan itself")


def check_affine(image: Any, shape: tuple[int, int, int], path: Path) -> None:
    """Refuse an affine that puts the voxels nowhere.

    Parameters
    ----------
    image : nibabel.spatialimages.SpatialImage
        As read; no voxels are touched.
    shape : (I, J, K) tuple of int
        Its shape, see `checked_shape`.
    path : pathlib.Path
        Its file, for the message.

    Raises
    ------
    InputError
        When the affine is singular or has NaN in it.
    """
    try:
        Grid(shape, image.affine)
    except InputError as error:
        raise InputError(f"{path}: {error}", hint="repair the qform or sform of the header") from error


def is_finite(data: NDArray[np.floating]) -> bool:
    """Tell whether no voxel is NaN or infinite; both survive min and max, which need no temporary array."""
    return bool(np.isfinite(data.min()) and np.isfinite(data.max()))


def check_finite(data: NDArray[np.float32], path: Path) -> None:
    """Refuse NaN and infinity.

    Parameters
    ----------
    data : (I, J, K) ndarray of float32
        Intensities in any units.
    path : pathlib.Path
        Their file, for the message.

    Raises
    ------
    InputError
        When a voxel is NaN or infinite.
    """
    if not is_finite(data):
        n_bad = data.size - np.count_nonzero(np.isfinite(data))
        raise InputError(
            f"{path} has NaN or infinity in {n_bad} of {data.size} voxels", hint="replace them first, by 0 say"
        )


def check_range(data: NDArray[np.float64], path: Path) -> None:
    """Refuse numbers that are too large for what all is computed with.

    Parameters
    ----------
    data : (I, J, K) ndarray of float64
        Intensities in any units; NaN and infinity are passed over.
    path : pathlib.Path
        Their file, for the message.

    Raises
    ------
    InputError
        When a number is finite, and is not in float32.
    """
    sizes = np.abs(data[np.isfinite(data)])
    largest = float(np.finfo(np.float32).max)
    n_bad = np.count_nonzero(sizes > largest)
    if n_bad:
        raise InputError(
            f"{path} has numbers up to {sizes.max():.3g} in {n_bad} of {data.size} voxels, "
            f"expected none beyond {largest:.2g}, the range of float32",
            hint="check how the file was made; if the numbers are right, divide them by a constant",
        )


def check_contrast(data: NDArray[np.float32], path: Path) -> None:
    """Refuse volumes without any contrast.

    Parameters
    ----------
    data : (I, J, K) ndarray of float32
        Intensities in any units, all finite.
    path : pathlib.Path
        Their file, for the message.

    Raises
    ------
    InputError
        When all voxels are equal.
    """
    low, high = data.min(), data.max()
    if low == high:
        what = "is 0 everywhere" if low == 0 else f"has the same intensity everywhere ({low:g})"
        raise InputError(f"{path} {what}, expected a scan of a head", hint="check how the file was made")


def _by(shape: tuple[int, ...]) -> str:
    """Write a shape as in '256 x 256 x 160'."""
    return " x ".join(str(n) for n in shape)
