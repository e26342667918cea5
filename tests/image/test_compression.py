"""Files whose names say something else than their first bytes; gzip and nibabel are the witnesses."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.nifti import load_volume

DATA = np.random.default_rng(0).normal(100, 10, (10, 9, 8)).astype(np.float32)
NIFTI = nib.Nifti1Image(DATA, np.eye(4)).to_bytes()
NIFTI_2 = nib.Nifti2Image(DATA, np.eye(4)).to_bytes()
BIG_ENDIAN = nib.Nifti1Image(DATA, np.eye(4), nib.Nifti1Header(endianness=">")).to_bytes()
MGH = nib.MGHImage(DATA, np.eye(4)).to_bytes()


@pytest.mark.parametrize(
    ("name", "content", "message", "hint"),
    [
        pytest.param("a.nii.gz", NIFTI, "is not a gzip file but a NIfTI image", "a.nii", id="NIfTI as gz"),
        pytest.param("a.nii.gz", NIFTI_2, "is not a gzip file but a NIfTI image", "a.nii", id="NIfTI-2 as gz"),
        pytest.param("a.nii.gz", BIG_ENDIAN, "is not a gzip file but a NIfTI image", "a.nii", id="big-endian as gz"),
        pytest.param("a.NII.GZ", NIFTI, "is not a gzip file but a NIfTI image", "a.nii", id="capitals"),
        pytest.param("a.mgz", MGH, "is not a gzip file but an MGH image", "a.mgh", id="MGH as mgz"),
        pytest.param("a.nii", gzip.compress(NIFTI), "is a gzip file", "a.nii.gz", id="gzip as nii"),
        pytest.param("a.mgh", gzip.compress(MGH), "is a gzip file", "a.mgz", id="gzip as mgh"),
    ],
)
def test_the_right_name_is_said_and_the_file_can_be_read_under_it(tmp_path, name, content, message, hint):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(InputError, match=message) as raised:
        load_volume(path)

    assert str(path) in str(raised.value)
    assert raised.value.hint == f"rename it to {hint}"
    np.testing.assert_array_equal(load_volume(path.rename(tmp_path / hint)).data, DATA)


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 a zip file" * 50, b"BZh91AY bzip2" * 50, b"x"], ids=["zip", "bz2", "x"]
)
def test_what_is_neither_gzip_nor_an_image_is_not_to_be_renamed(tmp_path, content):
    (tmp_path / "a.nii.gz").write_bytes(content)

    with pytest.raises(InputError, match="is not a gzip file but something else") as raised:
        load_volume(tmp_path / "a.nii.gz")

    assert "rename" not in raised.value.hint
