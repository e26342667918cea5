"""Volumes as images of SimpleITK, which calls x and y by the opposite directions (LPS+)."""

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import DTypeLike

from hail_mri.image.grid import Grid

TO_LPS = np.diag([-1.0, -1.0, 1.0])


def itk_image(data: Any, grid: Grid, dtype: DTypeLike = np.float32) -> sitk.Image:
    """Return an array on a grid as an image of SimpleITK.

    Parameters
    ----------
    data : (I, J, K) array
    grid : Grid
    dtype : dtype
        Of the image's voxels.
    """
    image = sitk.GetImageFromArray(np.ascontiguousarray(np.asarray(data, dtype).T))
    origin, spacing, direction = itk_geometry(grid)
    image.SetOrigin(origin)
    image.SetSpacing(spacing)
    image.SetDirection(direction)
    return image


def itk_geometry(grid: Grid) -> tuple[list[float], list[float], list[float]]:
    """Return origin, spacing and direction of a grid, as ITK says where an image is."""
    steps = TO_LPS @ grid.affine[:3, :3]
    return (TO_LPS @ grid.affine[:3, 3]).tolist(), grid.spacing.tolist(), (steps / grid.spacing).ravel().tolist()


def array_of(image: sitk.Image) -> Any:
    """Return the voxels of an image, (I, J, K)."""
    return np.ascontiguousarray(sitk.GetArrayFromImage(image).T)
