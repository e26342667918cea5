"""N4: the smooth field by which coil and head brighten one part of a scan and darken another.

The *bias field* is a factor on the intensities, 1 on (geometric) average deep in the head, where the brain is: so the
brain keeps its units when the field is divided out. It is estimated by ITK's N4 from voxels some millimetres apart, and
interpolated between them, where it hardly changes. From voxels, not from means of blocks: how much grey matter is in a
block differs from place to place, which looks like a field.

References
----------
Tustison et al., IEEE TMI 29:1310 (2010): N4ITK.
"""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid
from hail_mri.image.mask import MASK_THRESHOLD
from hail_mri.image.volume import Volume
from hail_mri.preprocess.cache import EstimateCache, cache_key
from hail_mri.preprocess.coarse import every_so_many, interpolated_samples
from hail_mri.preprocess.itk_image import itk_image, itk_threads
from hail_mri.preprocess.prepare import Prepared

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

SPACING = 6.0  # mm, between the voxels that N4 sees
ITERATIONS = [50, 50, 50, 50]  # at most, on control points that double four times: ANTs' defaults
CONVERGENCE = 1e-4  # of the coefficient of variation of the ratio between two fields
N_PARTS = 2  # of the work: ITK's sums are rounded by how many there are
DEPTH = 25.0  # mm below the skin, or below the surface of a brain alone
LARGEST_LOG = 3.0  # beyond a factor of 20 it is no coil's field


@dataclass(frozen=True)
class BiasField:
    """A bias field at some voxels of a scan.

    Attributes
    ----------
    log : (i, j, k) ndarray of float32
        Natural logarithm, 0 on average deep in the head.
    grid : Grid
        Of the scan.
    """

    log: FloatArray
    grid: Grid

    def factor(self) -> FloatArray:
        """Return the field on the scan's own grid, (I, J, K) float32, above 0."""
        return np.exp(interpolated_samples(self.log, every_so_many(self.grid, SPACING), self.grid.shape))


@itk_threads(N_PARTS)
def estimate_bias_field(
    volume: Volume, mask: BoolArray, *, zero: float = 0.0, left_out: BoolArray | None = None
) -> BiasField:
    """Estimate the bias field of a scan.

    Parameters
    ----------
    volume : Volume
        Canonical axes, so that the field of a scan is the same however it is held.
    mask : (I, J, K) bool array
        Head mask.
    zero : float
        Intensity of no signal, in the scan's units: the field is a factor on what is above it.
    left_out : (I, J, K) bool array, optional
        Voxels of the mask that the field is not fitted to, a lesion; there it is what the spline makes of the others.

    Raises
    ------
    InputError
        If the mask is empty, one of both has another shape, or nothing that is to be fitted is brighter than `zero`.

    Notes
    -----
    In as many parts as `N_PARTS` on every machine, however many cores it has: ITK adds up part by part, so that a scan
    has the same field everywhere.
    """
    for given in (mask, left_out):
        if given is not None and given.shape != volume.shape:
            raise InputError(f"the mask has the shape {given.shape}, the scan has {volume.shape}")
    if not mask.any():
        raise InputError("the mask for the bias field is empty")
    taken = every_so_many(volume.grid, SPACING)
    signal, inside = volume.data[taken] - np.float32(zero), mask[taken]
    inside = inside & (signal > 0)
    fitted = inside if left_out is None else inside & ~left_out[taken]
    if not fitted.any():
        raise InputError("nothing in the mask for the bias field is brighter than the background")
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfWorkUnits(N_PARTS)
    n4.SetMaximumNumberOfIterations(ITERATIONS)
    n4.SetConvergenceThreshold(CONVERGENCE)
    scale = np.float32(1 / signal[fitted].mean())
    steps = volume.spacing * [where.step for where in taken]
    upright = Grid(signal.shape, np.diag([*steps, 1.0]))  # how the axes lie does not matter to N4
    image = itk_image(np.maximum(signal * scale, 0), upright)
    n4.Execute(image, itk_image(fitted, upright, np.uint8))
    log = np.ascontiguousarray(sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)).T)
    log -= np.float32(log[_deep(inside, upright)].mean(dtype=np.float64))
    return BiasField(np.clip(log, -LARGEST_LOG, LARGEST_LOG), volume.grid)


def _deep(inside: BoolArray, grid: Grid) -> BoolArray:
    """Return what lies deep in a mask; all of a mask that is thin everywhere."""
    # Beyond the field of view the head goes on.
    padded = np.pad(inside, 1, mode="edge")
    depth = ndimage.distance_transform_edt(padded, sampling=grid.spacing)[1:-1, 1:-1, 1:-1]
    deep = np.asarray(depth >= DEPTH)
    return deep if deep.any() else inside


def kept_bias_field(prepared: Prepared, cache: EstimateCache, *, lesion: Volume | None = None) -> BiasField:
    """Return the bias field of a scan in its head mask, from the cache if it is there; raises `estimate_bias_field`'s.

    Parameters
    ----------
    prepared : Prepared
        The scan with its bias field.
    cache : EstimateCache
    lesion : Volume, optional
        What the field is not fitted to, above 0.5 inside, on the grid of the canonical scan.
    """
    volume, mask, zero = prepared.canonical, prepared.head & ~prepared.erased, prepared.scale.low
    left_out = None if lesion is None else np.asarray(lesion.data > MASK_THRESHOLD)
    settings = {"zero": zero, "spacing": SPACING, "iterations": ITERATIONS, "convergence": CONVERGENCE, "depth": DEPTH}
    shape = mask[every_so_many(volume.grid, SPACING)].shape
    without = () if left_out is None else (left_out,)
    key = cache_key("bias field of voxels", volume, mask, settings, *without)
    arrays = cache.get(
        key, {"log": shape}, lambda: {"log": estimate_bias_field(volume, mask, zero=zero, left_out=left_out).log}
    )
    return BiasField(arrays["log"], volume.grid)
