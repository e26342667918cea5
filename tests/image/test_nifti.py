"""Reading and writing scans; nibabel, used directly, is the witness."""

import gzip
import hashlib
import os

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hail_mri.errors import HailError, InputError, MissingFileError, OutputExistsError, UnwritableError
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


def image_of(data=None, affine=QFORM, image_class=nib.Nifti1Image):
    data = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE) if data is None else data
    return image_class(data, affine)


def write(path, image):
    nib.save(image, path)
    return path


def geometry(path):
    """What a header says about where the voxels are, as stored."""
    header = nib.load(path).header
    names = [
        "dim",
        "pixdim",
        "qform_code",
        "sform_code",
        "quatern_b",
        "quatern_c",
        "quatern_d",
        "qoffset_x",
        "qoffset_y",
    ]
    names += ["qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units"]
    return {name: header[name].tolist() for name in names}


# Reading ------------------------------------------------------------------------------------------------------------


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
    image = nib.Nifti1Image(data, QFORM, nib.Nifti1Header(endianness=endianness))
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
    image = image_of()
    image.set_qform(QFORM, 1)
    image.set_sform(SFORM, 4)
    volume = load_volume(write(tmp_path / "scan.nii", image))
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


# What is no scan ----------------------------------------------------------------------------------------------------


def with_values(*values, dtype=np.float32):
    data = np.arange(np.prod(SHAPE), dtype=dtype)
    data[: len(values)] = values
    return image_of(data.reshape(SHAPE))


def with_sform(affine):
    image = image_of()
    image.set_sform(affine, 1)
    image.set_qform(None, 0)
    return image


def colours():
    return image_of(np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]))


BAD_IMAGES = [
    pytest.param(
        lambda: image_of(np.ones((*SHAPE, 3), np.float32)), "4 dimensions (10 x 9 x 8 x 3), expected one 3-D", id="4-D"
    ),
    pytest.param(lambda: image_of(np.ones((10, 9), np.float32)), "2 dimensions (10 x 9), expected a 3-D", id="2-D"),
    pytest.param(
        lambda: image_of(np.ones((64, 64, 1), np.float32)), "64 x 64 x 1 voxels, expected at least 8", id="a slice"
    ),
    pytest.param(
        lambda: image_of(np.ones((5, 5, 5), np.float32)), "5 x 5 x 5 voxels, expected at least 8", id="5 voxels"
    ),
    pytest.param(lambda: with_values(np.nan, np.nan), "NaN or infinity in 2 of 720 voxels", id="NaN"),
    pytest.param(lambda: with_values(np.inf), "NaN or infinity in 1 of 720 voxels", id="infinity"),
    pytest.param(
        lambda: with_values(1e300, -2e300, np.nan, dtype=np.float64),
        "numbers up to 2e+300 in 2 of 720 voxels, expected none beyond 3.4e+38",
        id="beyond float32",
    ),
    pytest.param(lambda: image_of(np.full(SHAPE, 7, np.float32)), "same intensity everywhere (7)", id="constant"),
    pytest.param(lambda: image_of(np.zeros(SHAPE, np.float32)), "is 0 everywhere", id="all zero"),
    pytest.param(lambda: image_of(np.ones(SHAPE, np.complex64)), "complex numbers, expected a magnitude", id="complex"),
    pytest.param(colours, "colours (RGB), expected one intensity", id="RGB"),
    pytest.param(lambda: with_sform(np.diag([1.0, 1.0, 0.0, 1.0])), "affine is singular", id="singular affine"),
]


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nii"])
@pytest.mark.parametrize(("make", "message"), BAD_IMAGES)
def test_an_image_that_is_no_scan_is_refused_in_one_line_with_its_path(tmp_path, make, message, name):
    path = write(tmp_path / name, make())
    with pytest.raises(InputError) as raised:
        load_volume(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value) + raised.value.hint


def test_colours_are_refused_in_a_nifti_with_alpha_too(tmp_path):
    data = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")])
    with pytest.raises(InputError, match="colours"):
        load_volume(write(tmp_path / "scan.nii", image_of(data)))


def whole_file(suffix):
    """Bytes of a good file, of voxels that do not compress to nothing."""
    raw = image_of(np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)).to_bytes()
    return gzip.compress(raw, mtime=0) if suffix.endswith(".gz") else raw


def with_wrong_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x10]) + content[middle + 1 :]


BAD_FILES = [
    pytest.param("scan.nii.gz", b"", "is empty (0 bytes)", id="empty gz"),
    pytest.param("scan.nii", b"", "is empty (0 bytes)", id="empty nii"),
    pytest.param("scan.nii", b"a text, not an image " * 100, "not a NIfTI or MGH image", id="text as nii"),
    pytest.param("scan.nii.gz", b"a text, not an image " * 100, "not a gzip file but something else", id="text as gz"),
    pytest.param("scan.nii.gz", gzip.compress(b"a text " * 500), "not a NIfTI or MGH image", id="gzipped text"),
    pytest.param("scan.mgz", b"a text, not an image " * 100, "not a gzip file but something else", id="text as mgz"),
    pytest.param("scan.nii.gz", whole_file(".gz")[:1500], "damaged or cut short", id="truncated gzip"),
    pytest.param("scan.nii.gz", whole_file(".gz")[:-4], "damaged or cut short", id="gzip without its checksum"),
    pytest.param("scan.nii.gz", whole_file(".gz")[:60], "", id="truncated in the header"),
    pytest.param("scan.nii.gz", with_wrong_bit(whole_file(".gz")), "damaged or cut short", id="one wrong bit"),
    pytest.param("scan.nii", whole_file(".nii")[:1500], "damaged or cut short", id="truncated nii"),
    pytest.param("scan.nii", whole_file(".nii")[:200], "", id="truncated header"),
    pytest.param("scan.png", whole_file(".nii"), "not a scan by its name", id="other suffix"),
    pytest.param("scan", whole_file(".nii"), "not a scan by its name", id="no suffix"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES)
def test_a_file_that_is_no_image_is_refused_in_one_line_with_its_path(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        load_volume(path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value) + raised.value.hint


@given(end=st.integers(1, len(whole_file(".gz")) - 1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_gzip_cut_anywhere_is_refused(tmp_path, end):
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(whole_file(".gz")[:end])
    with pytest.raises(InputError):
        load_volume(path)


def test_a_header_that_promises_more_than_memory_holds_is_refused(tmp_path):
    content = bytearray(whole_file(".nii"))
    content[42:48] = np.array([32767] * 3, dtype="<i2").tobytes()
    path = tmp_path / "scan.nii"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged or cut short|more voxels than fit"):
        load_volume(path)


def test_a_folder_is_no_scan(tmp_path):
    with pytest.raises(InputError, match="is a folder, expected one scan"):
        load_volume(tmp_path)


def test_a_name_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(InputError, match="File name too long"):
        load_volume(tmp_path / ("x" * 300 + ".nii"))


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        load_volume(tmp_path / "scan.nii.gz")


# Writing ------------------------------------------------------------------------------------------------------------


def forms(qform, qform_code, sform, sform_code):
    image = image_of()
    image.set_qform(qform, qform_code)
    image.set_sform(sform, sform_code)
    return image


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


def test_a_volume_without_a_header_is_saved_with_both_forms_in_scanner_space_and_mm(tmp_path):
    save_volume(Volume(image_of().get_fdata(), QFORM), tmp_path / "out.nii.gz")
    header = nib.load(tmp_path / "out.nii.gz").header
    np.testing.assert_allclose(header.get_qform(), QFORM, atol=1e-5)
    np.testing.assert_allclose(header.get_sform(), QFORM, atol=1e-5)
    assert (header["qform_code"], header["sform_code"], header.get_xyzt_units()[0]) == (1, 1, "mm")


@pytest.mark.parametrize("image_class", [nib.Nifti2Image, nib.MGHImage])
def test_other_formats_are_saved_as_nifti_at_the_same_place(tmp_path, image_class):
    suffix = ".mgz" if image_class is nib.MGHImage else ".nii"
    path = write(tmp_path / f"scan{suffix}", image_of(image_class=image_class))
    save_volume(load_volume(path), tmp_path / "out.nii.gz")
    out = nib.load(tmp_path / "out.nii.gz")
    assert isinstance(out, nib.Nifti1Image)
    np.testing.assert_allclose(out.affine, nib.load(path).affine, atol=1e-4)


def test_the_bytes_of_a_big_endian_scan_come_back(tmp_path):
    image = nib.Nifti1Image(image_of().get_fdata(dtype=np.float32), QFORM, nib.Nifti1Header(endianness=">"))
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
    volume = Volume(data, OBLIQUE)
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


# What cannot be written ---------------------------------------------------------------------------------------------


def listing(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_an_existing_file_is_kept_unless_asked(tmp_path, scan):
    path = tmp_path / "out.nii.gz"
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError, match="exists"):
        save_volume(scan, path)
    assert (listing(tmp_path), path.read_bytes()) == (["out.nii.gz"], b"precious")
    save_volume(scan, path, overwrite=True)
    np.testing.assert_array_equal(load_volume(path).data, scan.data)
    assert listing(tmp_path) == ["out.nii.gz"]


def test_a_scan_can_be_written_over_itself(tmp_path):
    path = write(tmp_path / "scan.nii", image_of())
    volume = load_volume(path)
    save_volume(volume.with_data(volume.data + 1), path, overwrite=True)
    np.testing.assert_array_equal(load_volume(path).data, volume.data + 1)


@pytest.mark.parametrize(
    ("name", "error_class", "message"),
    [
        pytest.param("missing/out.nii.gz", UnwritableError, "does not exist", id="no such folder"),
        pytest.param("file/out.nii.gz", UnwritableError, "does not exist", id="a file in place of the folder"),
        pytest.param("folder.nii", InputError, "is a folder", id="a folder in place of the file"),
        pytest.param("x" * 300 + ".nii", UnwritableError, "File name too long", id="a name too long"),
        pytest.param("out.png", InputError, "must end in .nii or .nii.gz", id="another suffix"),
        pytest.param("out.mgz", InputError, "must end in .nii or .nii.gz", id="mgz"),
    ],
)
def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left_behind(tmp_path, scan, name, error_class, message):
    (tmp_path / "file").touch()
    (tmp_path / "folder.nii").mkdir()
    before = listing(tmp_path)
    with pytest.raises(error_class) as raised:
        save_volume(scan, tmp_path / name, overwrite=True)
    assert message in str(raised.value)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("name", ["out.nii", "out.nii.gz"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, name):
    """The limit on the size of a file stands for the disk: the kernel refuses the write halfway."""
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    volume = Volume(np.random.default_rng(0).normal(size=(40, 40, 40)), np.eye(4))
    (tmp_path / name).write_bytes(b"precious")
    handler, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(UnwritableError, match=r"could not be written \(File too large"):
            save_volume(volume, tmp_path / name, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert (listing(tmp_path), (tmp_path / name).read_bytes()) == ([name], b"precious")


def test_a_folder_without_permission_is_refused(tmp_path, scan):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(UnwritableError, match="Permission denied"):
        save_volume(scan, tmp_path / "out.nii.gz")


def test_an_interruption_leaves_nothing_behind(tmp_path, scan, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_volume(scan, tmp_path / "out.nii.gz")
    assert listing(tmp_path) == []


def test_every_refusal_is_an_error_the_command_line_can_show():
    assert all(issubclass(e, HailError) for e in (InputError, MissingFileError, OutputExistsError, UnwritableError))


@pytest.mark.data
def test_real_scans_come_back_with_the_same_geometry(tmp_path, data_dir):
    paths = sorted(data_dir.rglob("*.nii.gz"))[::10]
    assert paths
    for path in paths:
        volume = load_volume(path)
        save_volume(orient_like(to_canonical(volume), volume.grid), tmp_path / "out.nii.gz", overwrite=True)
        assert geometry(tmp_path / "out.nii.gz") == geometry(path)
