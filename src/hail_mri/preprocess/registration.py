"""Rigid registration of a scan to a reference, checked: where the same brain lies in both.

A search over all rotations up to 45 degrees and all shifts (`pose_search`) gives the starts; from the best of them
Mattes mutual information (MI) is climbed on ever finer grids, by ITK. Both are compared where the reference has its
brain, with a margin: necks, faces and coils of two people do not lie alike, and a skull-stripped scan has none.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.mask import MASK_THRESHOLD
from hail_mri.image.volume import Volume
from hail_mri.preprocess.cache import EstimateCache, cache_key
from hail_mri.preprocess.coarse import coarse_volume
from hail_mri.preprocess.itk_image import itk_threads
from hail_mri.preprocess.mutual_information import N_BINS, SMALLEST_GAIN, Level, climb, polish, similarity_at
from hail_mri.preprocess.pose_search import Pose, search_poses
from hail_mri.preprocess.reference import Reference
from hail_mri.preprocess.registration_quality import contrast_of, detail_of, overlap_of
from hail_mri.preprocess.reslicing import reslice
from hail_mri.preprocess.rigid import Matrix, frame_of, largest_displacement, rotation_angle
from hail_mri.preprocess.threads import on_threads

Verdict = Literal["ok", "check", "fail"]

UPRIGHT = 1.0  # degrees
N_STARTS, APART = 8, 15.0  # poses of the search that are refined, and how far apart they must be, mm
N_KEPT = 2  # starts that are climbed from on the second grid, whatever the first makes of them
SPACINGS = (8.0, 4.0, 3.0)  # mm, of the grids from coarse to fine
STEPS = (4.0, 1.0)  # mm, first step of the climbs on the first two
HALF_TURNS = [np.diag(signs) for signs in ([1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0])]
OTHERWISE = 60.0  # degrees between two ways to hold a head
TURNED_STEP, N_TURNED = 30, 2  # degrees between rotations that are tried around a half turn, and poses that are climbed
LEAST_WORTH = 1e-6  # of the best turned pose; the lead is huge where none has any
# Of contrast, detail and lead: what is ok, and what is usable at all. Between them it is worth a look.
OK, USABLE = (3.5, 3.0, 1.1), (2.5, 1.5, 1.0)


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
        That on the second grid over its mean at poses that are surely wrong.
    detail : float
        Correlation of fine structure in the brain, in standard deviations above its mean at those poses.
    lead : float
        MI on the coarsest grid over that of the best pose of a head that is held upside down or back to front: below 1
        such a pose fits better, and the header is probably wrong.
    overlap : float
        Share of the reference's region in the scan's field of view.
    """

    matrix: Matrix
    centre: Matrix
    similarity: float
    contrast: float
    detail: float
    lead: float
    overlap: float

    @property
    def verdict(self) -> Verdict:
        """Whether the pose is to be believed."""
        figures = (self.contrast, self.detail, self.lead)
        if all(np.greater_equal(figures, OK)):
            return "ok"
        return "check" if all(np.greater_equal(figures, USABLE)) else "fail"


@itk_threads(1)
def register(reference: Reference, scan: Volume) -> Registration:
    """Find the rigid transform from a reference to a scan.

    Parameters
    ----------
    reference : Reference
    scan : Volume
        Canonical axes, `comparable`: no signal is 0, white matter 1, and what is much brighter cut off.

    Raises
    ------
    InputError
        If the region is empty, or the scan has too little of it for any pose to be tried.

    Notes
    -----
    Every climb is made on one thread of its own, so that a scan has the same transform on every machine.
    """
    # Each in the frame of its own axes: ITK complains of some oblique ones.
    there, here = frame_of(reference.volume.grid), frame_of(scan.grid)
    volume, region, brain = (_seen_from(there, v) for v in (reference.volume, reference.region, reference.brain))
    scan = _seen_from(here, scan)
    centre = _centre(region)
    similarity, matrix = _register(volume, region, scan, centre)
    coarse = Level.of(volume, region, scan, SPACINGS[0])
    return Registration(
        here @ matrix @ np.linalg.inv(there),
        (there @ np.append(centre, 1.0))[:3],
        similarity,
        contrast_of(Level.of(volume, region, scan, SPACINGS[1]), matrix, centre),
        detail_of(volume, brain, scan, matrix, centre),
        _lead(volume, region, scan, coarse, matrix, centre),
        overlap_of(region, scan.grid, matrix),
    )


def _register(reference: Volume, region: Volume, scan: Volume, centre: Matrix) -> tuple[float, Matrix]:
    """Return MI and transform of the best pose of upright scans."""

    def best_end(spacing: float, step: float, candidates: list[Matrix]) -> tuple[float, Matrix]:
        level = Level.of(reference, region, scan, spacing)
        ends = on_threads(lambda candidate: climb(level, candidate, centre, step), candidates)
        return max(ends, key=lambda end: _worth(region, scan, *end))

    starts = _starts(reference, region, scan, centre)
    _, matrix = best_end(SPACINGS[0], STEPS[0], starts)
    # On a coarse grid the skulls of two people can lead away from where their brains agree: starts are kept as well.
    _, matrix = best_end(SPACINGS[1], STEPS[1], [matrix, *starts[:N_KEPT]])
    return polish(Level.of(reference, region, scan, SPACINGS[2]), matrix, centre)


def _worth(region: Volume, scan: Volume, similarity: float, pose: Matrix) -> float:
    """Return the MI of a pose times its overlap: what little is in view at a wrong pose can be very similar."""
    return similarity * overlap_of(region, scan.grid, pose)


def _lead(reference: Volume, region: Volume, scan: Volume, coarse: Level, matrix: Matrix, centre: Matrix) -> float:
    """Return by what factor a pose is better than the best that holds the head upside down or back to front."""
    poses: list[Pose] = []
    for turn in HALF_TURNS:
        poses += search_poses(reference, region, scan, around=turn, angle_step=TURNED_STEP)[:N_TURNED]
    ends = on_threads(lambda pose: climb(coarse, pose.matrix, centre, STEPS[0]), poses)
    # A brain alone may turn all the way back.
    turned = [end for end in ends if rotation_angle(end[1] @ np.linalg.inv(matrix)) > OTHERWISE]
    best = max([_worth(region, scan, *end) for end in turned], default=0.0)
    return _worth(region, scan, similarity_at(coarse, matrix, centre), matrix) / max(best, LEAST_WORTH)


def _seen_from(frame: Matrix, volume: Volume) -> Volume:
    """Return a volume whose millimetres are those of a frame."""
    return Volume(volume.data, np.linalg.inv(frame) @ volume.affine)


def brain_overlap(brain_mask: Volume, reference: Reference, registration: Registration) -> float:
    """Return the Dice coefficient of a scan's brain and the reference's, within the scan's field of view; 0 to 1.

    Parameters
    ----------
    brain_mask : Volume
        Above 0.5 in the scan's brain, on its grid.
    reference : Reference
    registration : Registration
        Of the scan.
    """
    grid, theirs = reference.brain.grid, reference.brain.data > 0.5
    inside, view = (
        reslice(brain_mask.with_data(data), grid, registration.matrix).data > 0.5
        for data in (brain_mask.data > MASK_THRESHOLD, np.ones(brain_mask.shape))
    )
    both, sizes = (inside & theirs).sum(), inside.sum() + (theirs & view).sum()
    return 2 * float(both) / max(float(sizes), 1.0)


def kept_registration(reference: Reference, scan: Volume, cache: EstimateCache) -> Registration:
    """Return the registration of a scan, from the cache if it is there; parameters and errors as of `register`."""

    def estimate() -> dict[str, NDArray[np.float64]]:
        found = register(reference, scan)
        numbers = np.array([found.similarity, found.contrast, found.detail, found.lead, found.overlap])
        return {"matrix": found.matrix, "centre": found.centre, "numbers": numbers}

    starts, steps = (N_STARTS, N_KEPT), (*STEPS, SMALLEST_GAIN)
    settings = {"spacings": SPACINGS, "bins": N_BINS, "steps": steps, "starts": starts}
    key = cache_key("registration", reference.volume, reference.brain, reference.region, scan, settings)
    arrays = cache.get(key, {"matrix": (4, 4), "centre": (3,), "numbers": (5,)}, estimate)
    return Registration(arrays["matrix"], arrays["centre"], *arrays["numbers"].tolist())


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
    poses = search_poses(reference, region, scan)
    # Most heads are held upright: that pose is tried, however many others are more similar on a coarse grid.
    upright = [pose for pose in poses if rotation_angle(pose.matrix) < UPRIGHT][:1]
    for pose in (*upright, *poses):
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
