"""Where the voxels are: both forms and their codes, from file to file; nibabel, used directly, is the witness."""

import nibabel as nib
import numpy as np
import pytest

from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.image.orientation import orient_like, to_canonical
from hail_mri.image.volume import Volume

SHAPE = (10, 9, 8)
OBLIQUE = np.array([[-0.9, 0.1, 0.4, 11], [0.1, 1.2, -0.1, -12], [0.2, 0.3, 1.8, 13], [0, 0, 0, 1]])


def rotation_only(affine):
    """The affine a qform can hold: without shears."""
    header = nib.Nifti1Header()
    header.set_qform(affine, 1)
    return header.get_qform()


QFORM = rotation_only(OBLIQUE)
SFORM = np.diag([2.0, 2.0, 2.5, 1.0])


def image_of(image_class=nib.Nifti1Image):
    return image_class(np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE), QFORM)


def write(path, image):
    nib.save(image, path)
    return path


def geometry(path):
    """What a header says about where the voxels are, as stored."""
    header = nib.load(path).header
    names = ["dim", "pixdim", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d"]
    names += ["qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units"]
    return {name: header[name].tolist() for name in names}


def forms(qform, qform_code, sform, sform_code):
    image = image_of()
    image.set_qform(qform, qform_code)
    image.set_sform(sform, sform_code)
    return image


def test_codes_of_0_are_a_warning_and_voxel_sizes_and_origin_are_the_headers_own(tmp_path):
    image = image_of()
    image.set_qform(None, 0)
    image.set_sform(None, 0)
    image.header.set_zooms((1.0, 1.5, 2.0))
    path = write(tmp_path / "scan.nii.gz", nib.Nifti1Image(image.dataobj, None, image.header))
    volume = load_volume(path)
    assert volume.spacing.tolist() == [1.0, 1.5, 2.0]
    np.testing.assert_array_equal(volume.affine, nib.load(path).affine)
    assert "codes are 0" in volume.warnings[0]


def test_the_sform_counts_where_the_forms_differ_and_the_user_is_told(tmp_path):
    volume = load_volume(write(tmp_path / "scan.nii", forms(QFORM, 1, SFORM, 4)))
    np.testing.assert_array_equal(volume.affine, SFORM)
    assert "sform is used" in volume.warnings[0]


def test_a_qform_that_is_no_rotation_does_not_matter_beside_an_sform(tmp_path):
    path = write(tmp_path / "scan.nii", forms(QFORM, 1, SFORM, 1))
    content = bytearray(path.read_bytes())
    content[256:268] = np.array([0.9, 0.9, 0.9], dtype="<f4").tobytes()  # quaternion with a square above 1
    path.write_bytes(content)
    volume = load_volume(path)
    np.testing.assert_array_equal(volume.affine, SFORM)
    save_volume(volume, tmp_path / "same.nii")
    save_volume(to_canonical(volume), tmp_path / "turned.nii")
    assert (tmp_path / "same.nii").read_bytes()[256:268] == content[256:268]


def test_another_unit_of_length_is_a_warning(tmp_path):
    image = image_of()
    image.header.set_xyzt_units("micron")
    assert "micron" in load_volume(write(tmp_path / "scan.nii", image)).warnings[0]


FORMS = [
    pytest.param(QFORM, 1, None, 0, id="qform only"),
    pytest.param(None, 0, OBLIQUE, 2, id="sform only, sheared"),
    pytest.param(QFORM, 1, QFORM, 1, id="both alike"),
    pytest.param(QFORM, 1, SFORM, 4, id="both, different"),
    pytest.param(QFORM @ np.diag([-1, 1, 1, 1]), 3, None, 0, id="qform with qfac -1"),
    pytest.param(None, 0, None, 0, id="neither"),
]


@pytest.mark.parametrize("name", ["out.nii", "out.nii.gz"])
@pytest.mark.parametrize(("qform", "qform_code", "sform", "sform_code"), FORMS)
def test_the_geometry_comes_out_as_it_went_in(tmp_path, qform, qform_code, sform, sform_code, name):
    path = write(tmp_path / "scan.nii.gz", forms(qform, qform_code, sform, sform_code))
    save_volume(load_volume(path), tmp_path / name)
    assert geometry(tmp_path / name) == geometry(path)
    np.testing.assert_array_equal(nib.load(tmp_path / name).affine, nib.load(path).affine)


@pytest.mark.parametrize(("qform", "qform_code", "sform", "sform_code"), FORMS)
def test_the_geometry_survives_turning_and_turning_back(tmp_path, qform, qform_code, sform, sform_code):
    path = write(tmp_path / "scan.nii.gz", forms(qform, qform_code, sform, sform_code))
    volume = load_volume(path)
    save_volume(orient_like(to_canonical(volume), volume.grid), tmp_path / "out.nii.gz")
    assert geometry(tmp_path / "out.nii.gz") == geometry(path)


@pytest.mark.parametrize(("qform", "qform_code", "sform", "sform_code"), FORMS)
def test_both_forms_go_along_when_a_scan_is_saved_turned(tmp_path, qform, qform_code, sform, sform_code):
    source = write(tmp_path / "scan.nii.gz", forms(qform, qform_code, sform, sform_code))
    volume = load_volume(source)
    save_volume(to_canonical(volume), tmp_path / "out.nii.gz")
    turned, before = nib.load(tmp_path / "out.nii.gz"), nib.load(source)
    np.testing.assert_allclose(turned.affine, to_canonical(volume).affine, atol=1e-4)
    if qform_code and sform_code:
        step = np.linalg.inv(before.header.get_sform()) @ turned.header.get_sform()
        np.testing.assert_allclose(turned.header.get_qform(), before.header.get_qform() @ step, atol=1e-4)
    if qform_code or sform_code:
        assert (turned.header["qform_code"], turned.header["sform_code"]) == (qform_code, sform_code)


def test_a_volume_without_a_header_is_saved_with_both_forms_in_scanner_space_and_mm(tmp_path):
    save_volume(Volume(image_of().get_fdata(), QFORM), tmp_path / "out.nii.gz")
    header = nib.load(tmp_path / "out.nii.gz").header
    np.testing.assert_allclose(header.get_qform(), QFORM, atol=1e-5)
    np.testing.assert_allclose(header.get_sform(), QFORM, atol=1e-5)
    assert (header["qform_code"], header["sform_code"], header.get_xyzt_units()[0]) == (1, 1, "mm")


@pytest.mark.parametrize("image_class", [nib.Nifti2Image, nib.MGHImage])
def test_other_formats_are_saved_as_nifti_at_the_same_place(tmp_path, image_class):
    suffix = ".mgz" if image_class is nib.MGHImage else ".nii"
    path = write(tmp_path / f"scan{suffix}", image_of(image_class))
    save_volume(load_volume(path), tmp_path / "out.nii.gz")
    out = nib.load(tmp_path / "out.nii.gz")
    assert isinstance(out, nib.Nifti1Image)
    np.testing.assert_allclose(out.affine, nib.load(path).affine, atol=1e-4)


@pytest.mark.data
def test_real_scans_come_back_with_the_same_geometry(tmp_path, data_dir):
    paths = sorted(data_dir.rglob("*.nii.gz"))[::10]
    assert paths
    for path in paths:
        volume = load_volume(path)
        save_volume(orient_like(to_canonical(volume), volume.grid), tmp_path / "out.nii.gz", overwrite=True)
        assert geometry(tmp_path / "out.nii.gz") == geometry(path)
