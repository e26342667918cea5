"""What speaks for a registration: how much better it is than poses that are surely wrong.

How good a pose is cannot be told by its mutual information (MI) alone, which depends on contrast and people. The
*contrast* of a registration is its MI over the mean of the wrong ones; its *detail* is how many standard deviations the
correlation of fine structure in the brain is above theirs. A head that is held the wrong way has a place where outlines
fit; folds and ventricles do not.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume
from hail_mri.preprocess.coarse import block_means, coarse_grid, coarse_volume
from hail_mri.preprocess.mutual_information import Level, similarity_at
from hail_mri.preprocess.reslicing import reslice
from hail_mri.preprocess.rigid import Matrix, rigid_matrix

WRONG_DISTANCE, WRONG_ANGLE, N_WRONG = 30.0, 30.0, 24  # mm and degrees: poses that are surely wrong
DETAIL_SPACING, REGION_SPACING = 4.0, 8.0  # mm
FINE, ROUGH = 4.0, 16.0  # mm, standard deviations of the Gaussians between which structure is fine
FEWEST_VOXELS, SMALLEST_DEVIATION = 100, 0.02  # of what is correlated, and of the correlations at wrong poses
BRAIN_DEPTH = 8.0  # mm below the brain's surface, whose neighbours depend on protocol and skull-stripping


def contrast_of(level: Level, matrix: Matrix, centre: Matrix) -> float:
    """Return MI over its mean at poses around it that are surely wrong."""
    found = similarity_at(level, matrix, centre)
    wrong = [value for pose in _wrong_poses(centre) if (value := similarity_at(level, matrix @ pose, centre)) > 0]
    return found / float(np.mean(wrong)) if wrong else 0.0


def detail_of(reference: Volume, brain: Volume, scan: Volume, matrix: Matrix, centre: Matrix) -> float:
    """Return by how much fine structure agrees better than at wrong poses, in standard deviations."""
    fixed, moving = _fine_structure(reference), _fine_structure(scan)
    inside = block_means(brain.data, fixed.shape) > 0.5
    deep = ndimage.distance_transform_edt(inside, sampling=fixed.spacing) > BRAIN_DEPTH
    view = Volume(np.ones(moving.shape, np.float32), moving.affine)

    def agreement(pose: Matrix) -> float:
        both = deep & (reslice(view, fixed.grid, pose).data > 0.5)
        a, b = fixed.data[both], reslice(moving, fixed.grid, pose).data[both]
        return float(np.corrcoef(a, b)[0, 1]) if len(a) > FEWEST_VOXELS and a.std() > 0 < b.std() else 0.0

    wrong = [agreement(matrix @ pose) for pose in _wrong_poses(centre)]
    return (agreement(matrix) - float(np.mean(wrong))) / max(float(np.std(wrong)), SMALLEST_DEVIATION)


def overlap_of(region: Volume, grid: Grid, matrix: Matrix) -> float:
    """Return the share of a region that lies in a field of view."""
    coarse = coarse_grid(region.grid, REGION_SPACING)
    inside = np.argwhere(block_means(region.data, coarse.shape) > 0.5)
    to_scan = np.linalg.inv(grid.affine) @ matrix @ coarse.affine
    voxels = inside @ to_scan[:3, :3].T + to_scan[:3, 3]
    return float(((voxels >= -0.5) & (voxels <= np.array(grid.shape) - 0.5)).all(axis=1).mean())


def _fine_structure(volume: Volume) -> Volume:
    """Return what a scan has between two sizes, on a coarse grid."""
    coarse = coarse_volume(volume, DETAIL_SPACING)
    fine, rest = (
        ndimage.gaussian_filter(coarse.data, (sigma / coarse.spacing).tolist(), mode="nearest")
        for sigma in (FINE, ROUGH)
    )
    return coarse.with_data(fine - rest)


def _wrong_poses(centre: Matrix) -> list[NDArray[np.float64]]:
    """Return transforms of the reference that turn and shift it far, in many directions."""
    directions = np.random.default_rng(0).normal(size=(N_WRONG, 2, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    poses = []
    for shift, axis in directions:
        turn = Rotation.from_rotvec(WRONG_ANGLE * axis, degrees=True).as_matrix()
        poses.append(rigid_matrix(turn, centre - turn @ centre + WRONG_DISTANCE * shift))
    return poses
