import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume
from hail_mri.preprocess.reslicing import carry_back, reslice
from hail_mri.preprocess.rigid import rigid_matrix

PREPARED = Grid((80, 80, 80), np.array([[2.0, 0, 0, -79], [0, 2.0, 0, -79], [0, 0, 2.0, -79], [0, 0, 0, 1]]))


def grid_of(shape, spacing, turn, origin=(0, 0, 0)):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_rotvec(turn, degrees=True).as_matrix() * np.broadcast_to(spacing, 3)
    affine[:3, 3] = np.asarray(origin) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def blob(grid, centre, sigma=9.0):
    places = np.einsum("ab,bijk->aijk", grid.affine[:3, :3], np.indices(grid.shape))
    places += (grid.affine[:3, 3] - np.asarray(centre))[:, None, None, None]
    return Volume(np.exp(-0.5 * (places**2).sum(axis=0) / sigma**2), grid.affine)


def centre_of(volume):
    """Centre of mass in mm; a place that is finer than the voxels."""
    weights = volume.data.astype(np.float64)
    voxel = [
        (weights.sum(axis=tuple(a for a in range(3) if a != axis)) @ np.arange(n))
        for axis, n in enumerate(volume.shape)
    ]
    return (volume.affine @ [*(np.array(voxel) / weights.sum()), 1])[:3]


@settings(max_examples=25, deadline=None)
@given(
    spacing=st.tuples(*3 * [st.floats(0.8, 6.0)]),
    turn=st.tuples(*3 * [st.floats(-40, 40)]),
    move=st.tuples(*3 * [st.floats(-15, 15)]),
    flip=st.tuples(*3 * [st.sampled_from((1, -1))]),
)
def test_a_landmark_is_found_again_after_preparing_and_carrying_back(spacing, turn, move, flip):
    shape = tuple(int(np.ceil(130 / s)) for s in spacing)
    native = grid_of(shape, np.array(spacing) * flip, turn)
    matrix = rigid_matrix(Rotation.from_rotvec((10, -25, 15), degrees=True).as_matrix(), np.array(move))
    landmark = np.array([5.0, -8.0, 3.0])

    there = reslice(blob(native, landmark), PREPARED, matrix)
    back = Volume(carry_back(there.data, PREPARED, native, matrix), native.affine)

    np.testing.assert_allclose(centre_of(there), (np.linalg.inv(matrix) @ [*landmark, 1])[:3], atol=0.05)
    np.testing.assert_allclose(centre_of(back), landmark, atol=0.05)


def test_without_a_move_a_scan_on_the_same_grid_is_the_same_scan(scan):
    np.testing.assert_allclose(reslice(scan, scan.grid, np.eye(4)).data, scan.data, rtol=1e-5)


def test_beyond_the_field_of_view_is_nothing():
    native = grid_of((20, 20, 20), 2.0, (0, 0, 0))
    there = reslice(Volume(np.full(native.shape, 100.0), native.affine), PREPARED, np.eye(4)).data
    assert there[0, 0, 0] == 0
    assert there[40, 40, 40] == pytest.approx(100)
    assert there.min() >= 0


def test_a_change_goes_on_beyond_the_prepared_grid():
    native = grid_of((10, 10, 60), 4.0, (0, 0, 0))
    back = carry_back(np.full(PREPARED.shape, 0.25, np.float32), PREPARED, native, np.eye(4))
    np.testing.assert_allclose(back, 0.25, rtol=1e-6)


def test_a_finer_scan_is_smoothed_so_that_stripes_do_not_become_others():
    native = grid_of((128, 128, 128), 0.5, (0, 0, 0))
    stripes = np.broadcast_to(np.where(np.arange(128) % 2, 100.0, 0.0)[:, None, None], native.shape)
    there = reslice(Volume(stripes, native.affine), PREPARED, np.eye(4)).data
    middle = there[32:48, 32:48, 32:48]
    np.testing.assert_allclose(middle, 50, atol=2)


def test_two_programs_agree_on_where_a_voxel_is(tmp_path):
    import nibabel as nib
    import SimpleITK as sitk

    native = grid_of((30, 26, 22), (1.0, -1.5, 2.5), (20, 10, -30), origin=(7, -3, 12))
    nib.save(nib.Nifti1Image(np.zeros(native.shape, np.float32), native.affine), tmp_path / "a.nii")
    x, y, z = sitk.ReadImage(str(tmp_path / "a.nii")).TransformIndexToPhysicalPoint((4, 20, 11))
    np.testing.assert_allclose((-x, -y, z), (native.affine @ [4, 20, 11, 1])[:3], atol=1e-3)
