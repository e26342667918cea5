"""What is no scan is refused, in one line with its path."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hail_mri.errors import InputError, MissingFileError
from hail_mri.image.nifti import load_volume

SHAPE = (10, 9, 8)


def image_of(data=None):
    data = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE) if data is None else data
    return nib.Nifti1Image(data, np.diag([2.0, 2.0, 2.5, 1.0]))


def write(path, image):
    nib.save(image, path)
    return path


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
