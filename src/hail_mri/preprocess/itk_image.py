"""Volumes as images of SimpleITK, which calls x and y by the opposite directions (LPS+)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import DTypeLike

from hail_mri.image.grid import Grid

TO_LPS = np.diag([-1.0, -1.0, 1.0])


@contextmanager
def itk_threads(n: int) -> Iterator[None]:
    """Let ITK work on a number of threads: its sums depend on how many there are, and some on which is first."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(n)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


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
    steps = TO_LPS @ grid.affine[:3, :3]
    image.SetOrigin((TO_LPS @ grid.affine[:3, 3]).tolist())
    image.SetSpacing(grid.spacing.tolist())
    image.SetDirection((steps / grid.spacing).ravel().tolist())
    return image
