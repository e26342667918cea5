"""A landmark in a NIfTI file, however its header says where it is, through preparing and carrying back."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hail_mri.image.grid import Grid
from hail_mri.image.nifti import load_volume
from hail_mri.image.orientation import orient_like, to_canonical
from hail_mri.preprocess.reslicing import carry_back, reslice
from hail_mri.preprocess.rigid import rigid_matrix

PREPARED = Grid((80, 80, 80), np.array([[2.0, 0, 0, -79], [0, 2.0, 0, -79], [0, 0, 2.0, -79], [0, 0, 0, 1]]))
MATRIX = rigid_matrix(Rotation.from_rotvec((10, -25, 15), degrees=True).as_matrix(), np.array([3.0, -7.0, 4.0]))
FIELD_OF_VIEW, BLOB = 130.0, 9.0  # mm; the blob's standard deviation
# Codes of qform and sform, and how far the qform is off where it does not count, mm.
FORMS = {
    "qform only": (1, 0, 0.0),
    "sform only": (0, 2, 25.0),
    "both": (1, 1, 0.0),
    "both and different": (1, 4, 25.0),
    "codes 0": (0, 0, 0.0),
}


def write_scan(path, spacing, turn, orientation, landmark, form):
    """Write a blob at a landmark, and return at which voxel its middle is."""
    qform_code, sform_code, apart = FORMS[form]
    is_upright = form == "codes 0"  # such a header knows spacings alone
    shape = tuple(int(np.ceil(FIELD_OF_VIEW / s)) for s in spacing)
    affine = np.diag([*spacing, 1.0])
    if not is_upright:
        affine[:3, :3] = Rotation.from_rotvec(turn, degrees=True).as_matrix() @ affine[:3, :3]
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    voxel = np.linalg.inv(affine) @ [*landmark, 1.0]
    squares = [((np.arange(n) - v) * s / BLOB) ** 2 for n, v, s in zip(shape, voxel[:3], spacing, strict=True)]
    data = 1000 * np.exp(-0.5 * sum(np.meshgrid(*squares, indexing="ij")))
    image = nib.Nifti1Image(data.astype(np.float32), affine)
    if not is_upright:
        ornt = nib.orientations.ornt_transform(
            nib.orientations.io_orientation(affine), nib.orientations.axcodes2ornt(orientation)
        )
        image = image.as_reoriented(ornt)
    there = image.affine.copy()
    elsewhere = there.copy()
    elsewhere[:3, 3] += apart
    image.set_sform(there if sform_code else None, sform_code)
    image.set_qform(None if is_upright else elsewhere, qform_code)
    nib.save(image, path)
    return np.linalg.inv(there) @ [*landmark, 1.0]


def middle_voxel(data):
    """Return the voxel coordinates of the centre of mass."""
    weights = data.astype(np.float64)
    return [
        weights.sum(axis=tuple({0, 1, 2} - {axis})) @ np.arange(n) / weights.sum() for axis, n in enumerate(data.shape)
    ]


@settings(max_examples=5, deadline=None)
@given(
    spacing=st.tuples(*3 * [st.floats(0.8, 6.0)]),
    turn=st.tuples(*3 * [st.floats(-40, 40)]),
    orientation=st.sampled_from(["RAS", "LPI", "PSR", "AIL", "SRP", "IPR"]),
    landmark=st.tuples(*3 * [st.floats(-9, 9)]),
)
@pytest.mark.parametrize("form", FORMS)
def test_a_landmark_is_found_again_however_the_header_says_where_it_is(
    tmp_path_factory, spacing, turn, orientation, landmark, form
):
    path = tmp_path_factory.mktemp("scan") / "scan.nii.gz"
    voxel = write_scan(path, spacing, turn, orientation, landmark, form)
    scan = load_volume(path)
    place = (scan.affine @ voxel)[:3]  # in the space of the scan; with codes of 0 it has an origin of its own

    canonical = to_canonical(scan)
    matrix = MATRIX.copy()
    matrix[:3, 3] += place - np.array(landmark)
    there = reslice(canonical, PREPARED, matrix)
    back = orient_like(canonical.with_data(carry_back(there.data, PREPARED, canonical.grid, matrix)), scan.grid)

    found = PREPARED.affine @ [*middle_voxel(there.data), 1.0]
    np.testing.assert_allclose(found[:3], (np.linalg.inv(matrix) @ [*place, 1.0])[:3], atol=0.05)
    off = scan.affine[:3, :3] @ (np.array(middle_voxel(back.data)) - voxel[:3])
    assert np.linalg.norm(off) < 0.05
    np.testing.assert_allclose(nib.load(path).affine, scan.affine, atol=1e-4)


@pytest.mark.parametrize("form", ["qform only", "sform only", "both"])
def test_two_programs_agree_on_where_the_landmark_is(tmp_path, form):
    ours, theirs = places_of_a_voxel(tmp_path, form)
    np.testing.assert_allclose(theirs, ours, atol=1e-3)


def test_where_two_programs_do_not_agree_the_user_is_told(tmp_path):
    # ITK takes the qform where both have codes of their own; nibabel and this package take the sform.
    ours, theirs = places_of_a_voxel(tmp_path, "both and different")
    np.testing.assert_allclose(theirs - ours, 25, atol=1e-3)
    assert "the sform is used" in load_volume(tmp_path / "scan.nii").warnings[0]


def places_of_a_voxel(folder, form):
    """Return where a voxel is for this package and for SimpleITK, RAS+ mm."""
    voxel = write_scan(folder / "scan.nii", (1.1, 2.3, 0.7), (20, 10, -30), "PSR", (4.0, -6.0, 8.0), form)
    index = np.round(voxel[:3]).astype(int)
    x, y, z = sitk.ReadImage(str(folder / "scan.nii")).TransformIndexToPhysicalPoint(index.tolist())
    return (load_volume(folder / "scan.nii").affine @ [*index, 1])[:3], np.array([-x, -y, z])
