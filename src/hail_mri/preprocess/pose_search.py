"""Where a head lies and how it is turned, roughly: every rotation up to 45 degrees, every shift, on a coarse grid.

For each rotation of a lattice the normalized correlation (NCC) of scan and reference is computed at every shift at
once, by Fourier transforms, over the voxels of the reference's region that lie in the scan's field of view: a cut head
is not mistaken for a dark one.

References
----------
Padfield, IEEE Trans Image Process 21:2706 (2012): masked correlation by Fourier transforms.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.spatial.transform import Rotation

from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume
from hail_mri.preprocess.coarse import coarse_volume
from hail_mri.preprocess.rigid import Matrix, rigid_matrix
from hail_mri.preprocess.threads import on_threads

FloatArray = NDArray[np.float32]

SPACING = 10.0  # mm
LARGEST_ANGLE, ANGLE_STEP = 45, 15  # degrees; the refinement reaches further than half a step
UNTURNED = np.eye(3)
SMALLEST_OVERLAP = 0.35  # of the region must lie in the field of view
FULL_OVERLAP = 0.9  # of the region; with less, a correlation is worth less, by the root of what is missing
N_PEAKS, PEAK_RADIUS = 2, 3  # shifts kept of each rotation, and how far they are apart, voxels
INSIDE = 0.99  # of a voxel's weight that must come from the field of view


@dataclass(frozen=True)
class Pose:
    """A place and a rotation of the head.

    Attributes
    ----------
    similarity : float
        NCC times the root of the overlap, -1 to 1.
    matrix : (4, 4) ndarray
        Reference mm to scan mm.
    """

    similarity: float
    matrix: Matrix


@dataclass(frozen=True)
class _Template:
    """The reference in its region, on the lattice of the search: values and mask, and the middle in mm."""

    values: FloatArray
    mask: FloatArray
    middle: Matrix


def search_poses(
    reference: Volume, region: Volume, scan: Volume, *, around: Matrix = UNTURNED, angle_step: int = ANGLE_STEP
) -> list[Pose]:
    """Search for the head of a reference in a scan.

    Parameters
    ----------
    reference, scan : Volume
        Intensities on the same scale, bright outliers cut off; any two grids.
    region : Volume
        On the reference's grid: 1 where it is to be compared, a brain with a margin.
    around : (3, 3) array
        Rotation from which others are at most 45 degrees away.
    angle_step : int
        Of the lattice of rotations, degrees.

    Returns
    -------
    poses : list of Pose
        Of all rotations, the most similar first; empty if no shift has enough overlap.
    """
    template = _template(reference, region)
    coarse = coarse_volume(scan, 0.8 * SPACING)

    def poses_at(rotation: Matrix) -> list[Pose]:
        values, inside, affine = _turned(coarse, rotation)
        poses = []
        for similarity, shift in _peaks(_correlations(values, inside, template)):
            at_middle = affine[:3, :3] @ (shift - (np.array(template.mask.shape) - 1) / 2) + affine[:3, 3]
            poses.append(Pose(similarity, rigid_matrix(rotation, at_middle - rotation @ template.middle)))
        return poses

    found = on_threads(poses_at, rotations(angle_step) @ around)
    return sorted(chain.from_iterable(found), key=lambda pose: -pose.similarity)


def rotations(angle_step: int = ANGLE_STEP) -> NDArray[np.float64]:
    """Return a lattice of rotations up to the largest angle, (n, 3, 3).

    Examples
    --------
    >>> rotations().shape, rotations(30).shape
    ((123, 3, 3), (19, 3, 3))
    """
    n = LARGEST_ANGLE // angle_step
    steps = range(-n * angle_step, n * angle_step + 1, angle_step)
    vectors = [v for v in product(steps, repeat=3) if np.linalg.norm(v) <= LARGEST_ANGLE]
    return Rotation.from_rotvec(np.array(vectors, float), degrees=True).as_matrix()


def _template(reference: Volume, region: Volume) -> _Template:
    """Cut the region out of the reference, on isotropic voxels."""
    corners = region.grid.corners()
    low, high = corners.min(axis=0), corners.max(axis=0)
    shape = tuple(int(n) for n in np.ceil((high - low) / SPACING) + 1)
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = low
    grid = Grid((shape[0], shape[1], shape[2]), affine)
    values, mask = (_read(coarse_volume(volume, 0.8 * SPACING), grid) for volume in (reference, region))
    inside = mask > 0.5
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    start = np.array([span.start for span in box])
    shape_in = np.array([span.stop - span.start for span in box])
    middle = low + SPACING * (start + (shape_in - 1) / 2)
    cut = inside[box].astype(np.float32)
    return _Template(values[box] * cut, cut, middle)


def _turned(scan: Volume, rotation: Matrix) -> tuple[FloatArray, FloatArray, Matrix]:
    """Return a scan on a lattice along turned axes, where that is in the field of view, and lattice to mm."""
    corners = scan.grid.corners()
    middle = corners.mean(axis=0)
    extent = np.abs((corners - middle) @ rotation).max(axis=0)
    shape = np.ceil(2 * extent / SPACING).astype(int) + 1
    affine = rigid_matrix(rotation * SPACING, middle - rotation @ (SPACING * (shape - 1) / 2))
    grid = Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)
    inside = (_read(Volume(np.ones(scan.shape, np.float32), scan.affine), grid) > INSIDE).astype(np.float32)
    return _read(scan, grid) * inside, inside, affine


def _read(volume: Volume, grid: Grid) -> FloatArray:
    """Interpolate a volume linearly on a grid; beyond the field of view is 0."""
    step = np.linalg.inv(volume.affine) @ grid.affine
    read = ndimage.affine_transform(volume.data, step[:3, :3], step[:3, 3], grid.shape, order=1, mode="constant")
    return np.asarray(read, np.float32)


def _correlations(values: FloatArray, inside: FloatArray, template: _Template) -> FloatArray:
    """Return the similarity at every shift of the template, from the one that only just touches the scan."""
    shape = [n + m - 1 for n, m in zip(values.shape, template.mask.shape, strict=True)]
    size = [fft.next_fast_len(n, real=True) for n in shape]
    # Correlation is convolution with the mirror image.
    fixed = template.values[::-1, ::-1, ::-1]
    mask, own, own2 = (fft.rfftn(a, size) for a in (template.mask[::-1, ::-1, ::-1], fixed, fixed**2))
    view, moving, moving2 = (fft.rfftn(a, size) for a in (inside, values, values**2))

    def summed(product: NDArray[np.complexfloating]) -> FloatArray:
        whole = fft.irfftn(product, size)
        return np.asarray(whole[tuple(slice(n) for n in shape)])

    count = np.maximum(np.rint(summed(view * mask)), 1)
    sum_moving, sum_fixed = summed(moving * mask), summed(view * own)
    variance_moving = np.maximum(summed(moving2 * mask) - sum_moving**2 / count, 0)
    variance_fixed = np.maximum(summed(view * own2) - sum_fixed**2 / count, 0)
    product = variance_moving * variance_fixed
    least = 1e-6 * max(float(product.max()), 1e-12)
    ncc = (summed(moving * own) - sum_moving * sum_fixed / count) / np.sqrt(np.maximum(product, least))
    overlap = count / template.mask.sum()
    similarity = ncc * np.sqrt(np.minimum(overlap / FULL_OVERLAP, 1))
    return np.where(overlap >= SMALLEST_OVERLAP, similarity, -1).astype(np.float32)


def _peaks(similarity: FloatArray) -> Iterator[tuple[float, NDArray[np.intp]]]:
    """Yield the highest similarities that are some voxels apart, and which voxel of the scan the template ends at."""
    rest = similarity.copy()
    for _ in range(N_PEAKS):
        place = np.array(np.unravel_index(int(rest.argmax()), rest.shape))
        value = float(rest[tuple(place)])
        if value <= -1:
            return
        yield value, place
        around = tuple(slice(max(0, p - PEAK_RADIUS), p + PEAK_RADIUS + 1) for p in place.tolist())
        rest[around] = -1
