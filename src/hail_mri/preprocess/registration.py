"""Rigid registration of a scan to a reference, checked: where the same brain lies in both.

A search over all rotations up to 45 degrees and all shifts (`pose_search`) gives the starts; from the best of them
Mattes mutual information (MI) is climbed on ever finer grids, by ITK. Both are compared where the reference has its
brain, with a margin: necks, faces and coils of two people do not lie alike, and a skull-stripped scan has none.

How good a registration is cannot be told by its MI alone, which depends on contrast and people. It is compared with the
MI of the same two scans at wrong poses around it: the *contrast* of a registration is its MI over their mean.

References
----------
Mattes et al., IEEE TMI 22:120 (2003): mutual information from a sample of voxels.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume
from hail_mri.preprocess.cache import EstimateCache, cache_key
from hail_mri.preprocess.coarse import block_means, coarse_grid, coarse_volume
from hail_mri.preprocess.itk_image import itk_image
from hail_mri.preprocess.pose_search import search_poses
from hail_mri.preprocess.rigid import Matrix, frame_of, itk_transform, largest_displacement, matrix_of, rigid_matrix

Verdict = Literal["ok", "fail"]

N_STARTS, APART = 6, 15.0  # poses of the search that are refined, and how far apart they must be, mm
SPACINGS = (8.0, 4.0, 3.0)  # mm, of the grids from coarse to fine
STEPS = (4.0, 1.0, 0.5)  # mm, first step of the climb on each
N_BINS = 16  # of intensity; more are noise where two people are compared
SMALLEST_STEP, MOST_STEPS = 0.005, 80
WRONG_DISTANCE, WRONG_ANGLE, N_WRONG = 30.0, 30.0, 24  # mm and degrees: poses that are surely wrong
SMALLEST_CONTRAST = 1.6
LARGEST_TURN = 60.0  # degrees; what the search and the climb can reach together


@dataclass(frozen=True)
class Registration:
    """A rigid transform and what speaks for it.

    Attributes
    ----------
    matrix : (4, 4) ndarray
        Reference mm to scan mm, RAS+.
    centre : (3,) ndarray
        Of the reference's region, mm: the point to turn around.
    similarity : float
        Mattes mutual information, nats, on the finest grid.
    contrast : float
        That on the coarsest grid over its mean at poses that are surely wrong; 1 for two scans that have nothing to do
        with each other.
    overlap : float
        Share of the reference's region in the scan's field of view.
    """

    matrix: Matrix
    centre: Matrix
    similarity: float
    contrast: float
    overlap: float

    @property
    def verdict(self) -> Verdict:
        """Whether the pose is to be believed."""
        return "ok" if self.contrast >= SMALLEST_CONTRAST else "fail"


@dataclass(frozen=True)
class _Level:
    """Reference, region and scan on grids of one spacing, as images of ITK."""

    reference: sitk.Image
    region: sitk.Image
    scan: sitk.Image

    @classmethod
    def of(cls, reference: Volume, region: Volume, scan: Volume, spacing: float) -> "_Level":
        """Average all three over blocks."""
        fixed, moving = coarse_volume(reference, spacing), coarse_volume(scan, spacing)
        inside = block_means(region.data, fixed.shape) > 0.5
        images = itk_image(fixed.data, fixed.grid), itk_image(inside, fixed.grid, np.uint8)
        return cls(*images, itk_image(moving.data, moving.grid))


def register(reference: Volume, region: Volume, scan: Volume) -> Registration:
    """Find the rigid transform from a reference to a scan.

    Parameters
    ----------
    reference, scan : Volume
        Canonical axes; no signal is 0, white matter about 1, and what is brighter is cut off.
    region : Volume
        On the reference's grid: 1 in its brain and a margin, 0 elsewhere.

    Raises
    ------
    InputError
        If the region is empty, or the scan has too little of it for any pose to be tried.

    Notes
    -----
    On one thread, so that a scan has the same transform on every machine.
    """
    if not (region.data > 0).any():
        raise InputError("the region in which scan and reference are compared is empty", "give another reference")
    # Each in the frame of its own axes: ITK complains of some oblique ones.
    there, here = frame_of(reference.grid), frame_of(scan.grid)
    found = _register(_seen_from(there, reference), _seen_from(there, region), _seen_from(here, scan))
    return replace(
        found, matrix=here @ found.matrix @ np.linalg.inv(there), centre=(there @ np.append(found.centre, 1.0))[:3]
    )


def _register(reference: Volume, region: Volume, scan: Volume) -> Registration:
    """Register upright scans."""
    centre = _centre(region)
    starts = _starts(reference, region, scan, centre)
    coarse = _Level.of(reference, region, scan, SPACINGS[0])
    climbed = [_climb(coarse, start, centre, STEPS[0]) for start in starts]
    _, matrix = max(climbed, key=lambda found: found[0])
    for spacing, step in zip(SPACINGS[1:], STEPS[1:], strict=True):
        similarity, matrix = _climb(_Level.of(reference, region, scan, spacing), matrix, centre, step)
    contrast = _contrast(coarse, matrix, centre)
    return Registration(matrix, centre, similarity, contrast, _overlap(region, scan.grid, matrix))


def _seen_from(frame: Matrix, volume: Volume) -> Volume:
    """Return a volume whose millimetres are those of a frame."""
    return Volume(volume.data, np.linalg.inv(frame) @ volume.affine)


def kept_registration(reference: Volume, region: Volume, scan: Volume, cache: EstimateCache) -> Registration:
    """Return the registration of a scan, from the cache if it is there; parameters and errors as of `register`."""

    def estimate() -> dict[str, NDArray[np.float64]]:
        found = register(reference, region, scan)
        numbers = np.array([found.similarity, found.contrast, found.overlap])
        return {"matrix": found.matrix, "centre": found.centre, "numbers": numbers}

    settings = {"spacings": SPACINGS, "bins": N_BINS, "steps": STEPS}
    key = cache_key("registration", reference, region, scan, settings)
    arrays = cache.get(key, {"matrix": (4, 4), "centre": (3,), "numbers": (3,)}, estimate)
    similarity, contrast, overlap = arrays["numbers"].tolist()
    return Registration(arrays["matrix"], arrays["centre"], similarity, contrast, overlap)


def _centre(region: Volume) -> Matrix:
    """Return the middle of a region, mm."""
    coarse = coarse_volume(region, SPACINGS[0])
    places = np.argwhere(coarse.data > 0.5)
    if len(places) == 0:
        raise InputError("the region in which scan and reference are compared is too small", "give another reference")
    return np.asarray(coarse.affine[:3, :3] @ places.mean(axis=0) + coarse.affine[:3, 3])


def _starts(reference: Volume, region: Volume, scan: Volume, centre: Matrix) -> list[Matrix]:
    """Return the best poses of the search that are apart from each other."""
    starts: list[Matrix] = []
    for pose in search_poses(reference, region, scan):
        if all(largest_displacement(pose.matrix, start, centre) > APART for start in starts):
            starts.append(pose.matrix)
        if len(starts) == N_STARTS:
            break
    if not starts:
        raise InputError(
            "the scan has too little of a head to be registered to the reference",
            hint="give a scan with most of the brain in its field of view, or do without registration",
        )
    return starts


def _metric(level: _Level) -> sitk.ImageRegistrationMethod:
    """Return a registration whose metric is set: negative MI in the region."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(N_BINS)
    method.SetMetricFixedMask(level.region)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetNumberOfThreads(1)
    return method


def _climb(level: _Level, start: Matrix, centre: Matrix, step: float) -> tuple[float, Matrix]:
    """Return MI and transform at the top of the hill that a transform is on."""
    transform = itk_transform(start, centre)
    method = _metric(level)
    method.SetOptimizerAsRegularStepGradientDescent(
        step, SMALLEST_STEP, MOST_STEPS, relaxationFactor=0.5, gradientMagnitudeTolerance=1e-7
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(level.reference, level.scan)
    except RuntimeError:  # the climb has left the field of view
        return 0.0, start
    return -method.GetMetricValue(), matrix_of(transform)


def _contrast(level: _Level, matrix: Matrix, centre: Matrix) -> float:
    """Return MI over its mean at poses around it that are surely wrong."""
    found = _similarity(level, matrix, centre)
    wrong = [value for pose in _wrong_poses(centre) if (value := _similarity(level, matrix @ pose, centre)) > 0]
    return found / float(np.mean(wrong)) if wrong else 0.0


def _wrong_poses(centre: Matrix) -> list[NDArray[np.float64]]:
    """Return transforms of the reference that turn and shift it far, in many directions."""
    directions = np.random.default_rng(0).normal(size=(N_WRONG, 2, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    poses = []
    for shift, axis in directions:
        turn = Rotation.from_rotvec(WRONG_ANGLE * axis, degrees=True).as_matrix()
        poses.append(rigid_matrix(turn, centre - turn @ centre + WRONG_DISTANCE * shift))
    return poses


def _similarity(level: _Level, matrix: Matrix, centre: Matrix) -> float:
    """Return MI at a pose; 0 where it cannot be told."""
    method = _metric(level)
    method.SetInitialTransform(itk_transform(matrix, centre))
    try:
        return float(-method.MetricEvaluate(level.reference, level.scan))
    except RuntimeError:
        return 0.0


def _overlap(region: Volume, grid: Grid, matrix: Matrix) -> float:
    """Return the share of a region that lies in a field of view."""
    coarse = coarse_grid(region.grid, SPACINGS[0])
    inside = np.argwhere(block_means(region.data, coarse.shape) > 0.5)
    to_scan = np.linalg.inv(grid.affine) @ matrix @ coarse.affine
    voxels = inside @ to_scan[:3, :3].T + to_scan[:3, 3]
    return float(((voxels >= -0.5) & (voxels <= np.array(grid.shape) - 0.5)).all(axis=1).mean())
