"""Rigid transforms: (4, 4) matrices that take millimetres (RAS+) of one scan to millimetres of another.

The transform of a registration takes places in the reference to places in the scan, the way in which images are
resampled, and the way in which ITK and ANTs store it.
"""

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid
from hail_mri.preprocess.itk_image import TO_LPS
from hail_mri.provenance.regular_file import size_of_file

Matrix = NDArray[np.float64]

HEAD_RADIUS = 80.0  # mm, of the sphere on which displacements are measured: about a head's
LARGEST_SKEW = 1e-5  # of an entry of R R^T; a file holds more digits


def rigid_matrix(rotation: Matrix, translation: Matrix) -> Matrix:
    """Return the transform x -> rotation @ x + translation."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, translation
    return matrix


def frame_of(grid: Grid) -> Matrix:
    """Return the rigid transform from the axes of a grid, mm from its first voxel, to where they are.

    Notes
    -----
    A grid that is seen in its own frame is upright, unless it is sheared or left-handed.
    """
    turn = Rotation.from_matrix(grid.affine[:3, :3] / grid.spacing).as_matrix()
    return rigid_matrix(turn, grid.affine[:3, 3])


def rotation_angle(matrix: Matrix) -> float:
    """Return by what angle a transform turns, degrees.

    Examples
    --------
    >>> turn = Rotation.from_rotvec([0, 30, 0], degrees=True).as_matrix()
    >>> round(rotation_angle(rigid_matrix(turn, np.zeros(3))), 6)
    30.0
    """
    return float(np.degrees(Rotation.from_matrix(matrix[:3, :3]).magnitude()))


def largest_displacement(a: Matrix, b: Matrix, centre: Matrix, radius: float = HEAD_RADIUS) -> float:
    """Return how far apart two transforms take a point of a sphere, at most, mm.

    Parameters
    ----------
    a, b : (4, 4) array
    centre : (3,) array
        mm.
    radius : float
        mm.

    Notes
    -----
    Of the difference of two rotations by an angle t between them, the largest on the sphere is 2 r sin(t / 2), at right
    angles to its axis. Together with the distance at the centre this is an upper bound that some points come near to.
    """
    at_centre = np.linalg.norm((a - b) @ np.append(centre, 1.0))
    turn = np.radians(rotation_angle(a @ np.linalg.inv(b)))
    return float(at_centre + 2 * radius * np.sin(turn / 2))


def itk_transform(matrix: Matrix, centre: Matrix) -> sitk.VersorRigid3DTransform:
    """Return a transform as one of SimpleITK that turns around a centre, mm."""
    transform = sitk.VersorRigid3DTransform()
    transform.SetCenter((TO_LPS @ centre).tolist())
    turn = Rotation.from_matrix(TO_LPS @ matrix[:3, :3] @ TO_LPS).as_quat(canonical=True)
    transform.SetRotation(turn.tolist())
    at_centre = (matrix @ np.append(centre, 1.0))[:3]
    transform.SetTranslation((TO_LPS @ (at_centre - centre)).tolist())
    return transform


def matrix_of(transform: sitk.Transform) -> Matrix:
    """Return a rigid transform of SimpleITK as a matrix, by where it takes four points."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    steps = np.stack([np.array(transform.TransformPoint(axis)) - origin for axis in np.eye(3).tolist()], axis=1)
    return rigid_matrix(TO_LPS @ steps @ TO_LPS, TO_LPS @ origin)


def write_transform(matrix: Matrix, centre: Matrix, path: Path) -> None:
    """Write a transform as a text file of ITK, which ANTs and 3D Slicer read.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    # The library wants to know the format by the name, and says nothing of a disk that is full.
    text = path.with_name(f"{path.name}.tfm")
    try:
        sitk.WriteTransform(itk_transform(matrix, centre), str(text))
        text.replace(path)
    except RuntimeError as error:
        raise OSError(None, f"the transform was not written: {error}", str(path)) from error
    finally:
        text.unlink(missing_ok=True)


def read_transform(path: Path) -> Matrix:
    """Read a rigid transform from a text file of ITK.

    Raises
    ------
    MissingFileError, InputError
        If there is no such file, or it holds no rigid transform.
    """
    size_of_file(path, expected="a transform")
    try:
        matrix = matrix_of(sitk.ReadTransform(str(path)))
    except RuntimeError as error:
        raise InputError(f"{path} is no transform of ITK", "give a text file (.txt or .tfm)") from error
    rotation = matrix[:3, :3]
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > LARGEST_SKEW or np.linalg.det(rotation) < 0:
        raise InputError(f"the transform in {path} is not rigid", "give a rotation with a translation")
    return matrix
