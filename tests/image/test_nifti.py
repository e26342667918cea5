"""Reading and writing scans; nibabel, used directly, is the witness."""

import gzip
import hashlib

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.image.volume import Volume

SHAPE = (10, 9, 8)
# A rotation: LAS, 2 x 1.2 x 2.5 mm.
AFFINE = np.array([[-1.6, 0, 1.5, 11], [0, 1.2, 0, -12], [1.2, 0, 2.0, 13], [0, 0, 0, 1]])


def image_of(data=None, image_class=nib.Nifti1Image):
    data = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE) if data is None else data
    return image_class(data, AFFINE)


def write(path, image):
    nib.save(image, path)
    return path


@pytest.mark.parametrize(
    ("name", "image_class"),
    [
        pytest.param("scan.nii", nib.Nifti1Image, id="nii"),
        pytest.param("scan.nii.gz", nib.Nifti1Image, id="nii.gz"),
        pytest.param("scan.NII.GZ", nib.Nifti1Image, id="capitals"),
        pytest.param("scan.nii.gz", nib.Nifti2Image, id="NIfTI-2"),
        pytest.param("scan.mgz", nib.MGHImage, id="mgz"),
        pytest.param("scan.mgh", nib.MGHImage, id="mgh"),
        pytest.param("a.b c.nii.gz", nib.Nifti1Image, id="dots and blanks in the name"),
    ],
)
def test_a_scan_is_read_as_nibabel_reads_it(tmp_path, name, image_class):
    path = write(tmp_path / name, image_of(image_class=image_class))
    volume, expected = load_volume(path), nib.load(path)
    np.testing.assert_array_equal(volume.data, expected.get_fdata(dtype=np.float32))
    np.testing.assert_allclose(volume.affine, expected.affine, atol=1e-5)
    assert volume.warnings == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("endianness", ["<", ">"])
def test_every_usual_type_of_number_is_read(tmp_path, dtype, endianness):
    data = np.random.default_rng(0).integers(0, 200, SHAPE).astype(dtype)
    image = nib.Nifti1Image(data, AFFINE, nib.Nifti1Header(endianness=endianness))
    image.set_data_dtype(dtype)
    np.testing.assert_array_equal(load_volume(write(tmp_path / "scan.nii.gz", image)).data, data)


def test_slope_and_intercept_are_applied(tmp_path):
    image = image_of(np.arange(720, dtype=np.int16).reshape(SHAPE))
    image.header.set_slope_inter(0.5, -7)
    path = write(tmp_path / "scan.nii", image)
    np.testing.assert_array_equal(load_volume(path).data, nib.load(path).get_fdata())


def test_a_fourth_axis_of_one_is_dropped_with_a_warning(tmp_path):
    data = np.arange(720, dtype=np.float32).reshape(*SHAPE, 1)
    volume = load_volume(write(tmp_path / "scan.nii.gz", image_of(data)))
    np.testing.assert_array_equal(volume.data, data[..., 0])
    assert volume.warnings == ("The file has the shape 10 x 9 x 8 x 1: the axes of length 1 at the end were dropped.",)


def test_the_file_is_float32_with_slope_1_and_the_headers_text_and_units(tmp_path):
    image = image_of(np.arange(720, dtype=np.int16).reshape(SHAPE))
    image.header.set_slope_inter(0.25, 3)
    image.header["descrip"] = b"site A"
    image.header["cal_max"] = 500
    image.header["pixdim"][4:] = (0, 7, 0, 0)  # voxel sizes of axes that are not there
    image.header.set_xyzt_units("mm", "sec")
    save_volume(load_volume(write(tmp_path / "scan.nii", image)), tmp_path / "out.nii")
    raw = nib.Nifti1Header((tmp_path / "out.nii").read_bytes()[:348])
    assert raw.get_data_dtype() == np.float32
    assert (raw["scl_slope"], raw["scl_inter"], raw["cal_max"]) == (1, 0, 0)
    assert raw["pixdim"][4:].tolist() == [0, 7, 0, 0]
    assert (raw["descrip"], raw.get_xyzt_units()) == (b"site A", ("mm", "sec"))


def test_the_bytes_of_a_big_endian_scan_come_back(tmp_path):
    image = nib.Nifti1Image(image_of().get_fdata(dtype=np.float32), AFFINE, nib.Nifti1Header(endianness=">"))
    volume = load_volume(write(tmp_path / "scan.nii", image))
    save_volume(volume, tmp_path / "out.nii")
    np.testing.assert_array_equal(load_volume(tmp_path / "out.nii").data, image.get_fdata())


@given(
    data=arrays(np.float32, st.tuples(*[st.integers(8, 10)] * 3), elements=st.floats(-(2.0**99), 2.0**99, width=32)),
    suffix=st.sampled_from([".nii", ".nii.gz"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_saved_and_loaded_is_the_same_to_the_bit(tmp_path, data, suffix):
    data = data.copy()
    data[0, 0, 0] = 1 if data.max() <= 0 else -1  # never constant
    volume = Volume(data, AFFINE)
    save_volume(volume, tmp_path / f"out{suffix}", overwrite=True)
    np.testing.assert_array_equal(load_volume(tmp_path / f"out{suffix}").data, volume.data)


@pytest.mark.parametrize("name", ["out.nii", "out.nii.gz"])
def test_the_same_volume_gives_the_same_bytes_under_any_name(tmp_path, scan, name):
    save_volume(scan, tmp_path / name)
    save_volume(scan, tmp_path / f"other_{name}")
    first, second = (hashlib.sha256((tmp_path / n).read_bytes()).hexdigest() for n in (name, f"other_{name}"))
    assert first == second


def test_any_gzip_reads_what_was_written(tmp_path, scan):
    save_volume(scan, tmp_path / "out.nii.gz")
    assert len(gzip.decompress((tmp_path / "out.nii.gz").read_bytes())) == 352 + scan.data.nbytes


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, scan):
    save_volume(scan, tmp_path / "out.nii")
    (tmp_path / "plain").touch()
    assert (tmp_path / "out.nii").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_notes_of_nibabel_on_a_damaged_header_are_not_shown_and_it_says_them_to_others_again(tmp_path, caplog):
    path = write(tmp_path / "scan.nii", image_of())
    data = bytearray(path.read_bytes())
    data[76 + 4 : 76 + 8] = bytes(4)  # pixdim[1]
    path.write_bytes(bytes(data))

    load_volume(path)
    assert not caplog.records

    nib.load(path)
    assert "pixdim" in caplog.text
