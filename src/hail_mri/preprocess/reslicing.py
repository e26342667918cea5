"""One interpolation from a scan's own grid to another one, and the way back for a change made there.

The scan itself is read once, on the way there; what comes back is the *change* that was made, never the scan.
"""

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from hail_mri.image.grid import Grid
from hail_mri.image.resampling import smoothing_weights
from hail_mri.image.separable import along_axes
from hail_mri.image.volume import Volume
from hail_mri.preprocess.rigid import Matrix

FloatArray = NDArray[np.float32]


def reslice(volume: Volume, grid: Grid, matrix: Matrix) -> Volume:
    """Read a scan on another grid, linearly.

    Parameters
    ----------
    volume : Volume
    grid : Grid
        Where to read it.
    matrix : (4, 4) array
        Rigid, millimetres of the new grid to those of the scan.

    Returns
    -------
    resliced : Volume
        0 beyond the scan's field of view. Axes of the scan that are finer are smoothed first, against false detail.
    """
    factors = _voxel_lengths(volume.grid, grid, matrix) / volume.spacing
    finer = [smoothing_weights(n, factor) for n, factor in zip(volume.shape, factors.tolist(), strict=True)]
    data = volume.data if all(w is None for w in finer) else _smoothed(volume.data, finer)
    return Volume(_read(data, volume.grid, grid, matrix, extrapolate=False), grid.affine)


def carry_back(change: FloatArray, grid: Grid, native: Grid, matrix: Matrix) -> FloatArray:
    """Read a change that was made on the new grid on the scan's own.

    Parameters
    ----------
    change : (i, j, k) ndarray of float32
        On `grid`.
    grid, native : Grid
        The new one, and the scan's.
    matrix : (4, 4) array
        As for `reslice`: the same transform, gone the other way.

    Returns
    -------
    change : (I, J, K) ndarray of float32
        Beyond the new grid, that of its nearest voxel.
    """
    return _read(change, grid, native, np.asarray(np.linalg.inv(matrix)), extrapolate=True)


def _voxel_lengths(own: Grid, wanted: Grid, matrix: Matrix) -> NDArray[np.float64]:
    """Return how long a voxel of the new grid is along each axis of the scan's own, mm."""
    axes, others = (grid.affine[:3, :3] / grid.spacing for grid in (own, wanted))
    cosines = axes.T @ matrix[:3, :3] @ others  # (own axis, new axis)
    return np.linalg.norm(cosines * wanted.spacing, axis=1)


def _smoothed(data: FloatArray, weights: list[FloatArray | None]) -> FloatArray:
    """Smooth along the axes that have weights."""
    filled = [np.eye(n, dtype=np.float32) if w is None else w for n, w in zip(data.shape, weights, strict=True)]
    return along_axes(data, filled)


def _read(data: Any, own: Grid, wanted: Grid, matrix: Matrix, *, extrapolate: bool) -> FloatArray:
    """Interpolate linearly; each voxel by itself, so that threads change no bit."""
    # From voxel to voxel, in one matrix: ITK's own way through millimetres complains of some oblique axes.
    step = np.linalg.inv(own.affine) @ matrix @ wanted.affine
    voxels = sitk.AffineTransform(3)
    voxels.SetMatrix(step[:3, :3].ravel().tolist())
    voxels.SetTranslation(step[:3, 3].tolist())
    reader = sitk.ResampleImageFilter()
    reader.SetInterpolator(sitk.sitkLinear)
    reader.SetTransform(voxels)
    reader.SetDefaultPixelValue(0.0)
    reader.SetUseNearestNeighborExtrapolator(extrapolate)
    reader.SetSize([int(n) for n in wanted.shape])
    image = sitk.GetImageFromArray(np.ascontiguousarray(data.T))
    return np.ascontiguousarray(sitk.GetArrayFromImage(reader.Execute(image)).T)
