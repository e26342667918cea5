import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hail_mri.errors import InputError, MissingFileError
from hail_mri.preprocess.rigid import (
    itk_transform,
    largest_displacement,
    matrix_of,
    read_transform,
    rigid_matrix,
    rotation_angle,
    write_transform,
)

triples = st.tuples(*3 * [st.floats(-150, 150)])


def transform_of(turn, shift):
    return rigid_matrix(Rotation.from_rotvec(turn, degrees=True).as_matrix(), np.array(shift))


@given(turn=triples, shift=triples, centre=triples)
def test_a_transform_of_itk_is_the_same_transform(turn, shift, centre):
    matrix = transform_of(turn, shift)
    np.testing.assert_allclose(matrix_of(itk_transform(matrix, np.array(centre))), matrix, atol=1e-9)


@given(turn=triples, shift=triples, point=triples)
def test_itk_takes_points_where_the_matrix_takes_them_with_x_and_y_the_other_way(turn, shift, point):
    matrix = transform_of(turn, shift)
    x, y, z = itk_transform(matrix, np.zeros(3)).TransformPoint((-point[0], -point[1], point[2]))
    np.testing.assert_allclose((-x, -y, z), (matrix @ [*point, 1])[:3], atol=1e-8)


def test_a_file_gives_back_the_transform(tmp_path):
    matrix = transform_of((12, -30, 5), (4.5, -60, 0.25))
    write_transform(matrix, np.array([1.0, -20.0, 8.0]), tmp_path / "a_xfm.txt")
    np.testing.assert_allclose(read_transform(tmp_path / "a_xfm.txt"), matrix, atol=1e-9)
    assert [path.name for path in tmp_path.iterdir()] == ["a_xfm.txt"]


def test_a_transform_that_is_not_rigid_is_refused(tmp_path):
    stretched = sitk.AffineTransform(3)
    stretched.SetMatrix((1.1, 0, 0, 0, 1, 0, 0, 0, 1))
    sitk.WriteTransform(stretched, str(tmp_path / "a.tfm"))
    with pytest.raises(InputError, match="not rigid"):
        read_transform(tmp_path / "a.tfm")


def test_what_is_no_transform_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("nonsense")
    with pytest.raises(InputError, match="no transform"):
        read_transform(tmp_path / "a.txt")
    with pytest.raises(MissingFileError):
        read_transform(tmp_path / "gone.txt")


def test_a_folder_that_cannot_be_written_to_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="transform was not written"):
        write_transform(np.eye(4), np.zeros(3), tmp_path / "gone" / "a.txt")


def test_the_displacement_of_two_transforms_is_that_of_the_point_that_moves_most():
    centre = np.array([0.0, -20.0, 10.0])
    a, b = transform_of((0, 0, 0), (0, 0, 0)), transform_of((0, 0, 10), (0, 0, 0))
    sphere = np.random.default_rng(0).normal(size=(2000, 3))
    points = centre + 80 * sphere / np.linalg.norm(sphere, axis=1, keepdims=True)
    moved = np.linalg.norm((points @ b[:3, :3].T + b[:3, 3]) - points, axis=1).max()
    bound = largest_displacement(a, b, centre)
    assert moved <= bound <= 1.3 * moved
    assert rotation_angle(b) == pytest.approx(10)


def test_a_shift_displaces_every_point_alike():
    shifted = transform_of((0, 0, 0), (3, 0, 4))
    assert largest_displacement(np.eye(4), shifted, np.zeros(3)) == pytest.approx(5)
