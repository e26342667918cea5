import nibabel as nib
import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.volume import Volume


def test_data_become_float32_and_read_only():
    volume = Volume(np.arange(8, dtype=np.int16).reshape(2, 2, 2), np.eye(4))
    assert volume.data.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        volume.data[0, 0, 0] = 1


def test_a_float32_array_is_not_copied_and_stays_writeable_for_its_owner():
    data = np.zeros((2, 2, 2), dtype=np.float32)
    assert np.shares_memory(Volume(data, np.eye(4)).data, data)
    assert data.flags.writeable


def test_other_data_go_on_the_same_grid_with_the_same_header():
    header = nib.Nifti1Header()
    header["descrip"] = b"site A"
    volume = Volume(np.zeros((2, 3, 4)), np.diag([1.0, 2.0, 3.0, 1.0]), header, ["a warning"])
    other = volume.with_data(np.ones((2, 3, 4)))
    assert other.grid.is_close(volume.grid, tolerance_mm=0)
    assert (other.header, other.warnings) == (header, ("a warning",))
    assert (other.data.mean(), volume.data.mean()) == (1, 0)


def test_changing_the_header_afterwards_does_not_change_the_volume():
    header = nib.Nifti1Header()
    volume = Volume(np.zeros((2, 2, 2)), np.eye(4), header)
    header["descrip"] = b"changed"
    assert volume.header["descrip"] == b""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(np.zeros((2, 2)), "three dimensions", id="2-D"),
        pytest.param(np.zeros((2, 2, 2, 2)), "three dimensions", id="4-D"),
        pytest.param(np.full((2, 2, 2), np.nan), "not finite", id="NaN"),
        pytest.param(np.full((2, 2, 2), -np.inf), "not finite", id="infinity"),
        pytest.param(np.full((2, 2, 2), 1e300), "too large", id="beyond float32"),
    ],
)
def test_data_that_are_no_volume_are_refused(data, message):
    with pytest.raises(InputError, match=message):
        Volume(data, np.eye(4))


def test_data_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"\(2, 2, 3\)"):
        Volume(np.zeros((2, 2, 2)), np.eye(4)).with_data(np.zeros((2, 2, 3)))
