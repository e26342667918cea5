import nibabel as nib
import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.mask import check_mask, is_stripped, load_mask
from hail_mri.image.volume import Volume

SHAPE = (12, 10, 8)
INSIDE = np.zeros(SHAPE, np.float32)
INSIDE[3:9, 3:7, 2:6] = 1


@pytest.fixture
def scan():
    return Volume(np.random.default_rng(0).normal(100, 10, SHAPE), np.diag([2.0, 2.0, 3.0, 1.0]))


def saved(data, affine, path):
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def test_a_mask_is_read_as_it_is(scan, tmp_path):
    path = saved(0.75 * INSIDE, scan.affine, tmp_path / "mask.nii.gz")

    np.testing.assert_array_equal(load_mask(path, scan, tmp_path / "scan.nii").data, 0.75 * INSIDE)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(0 * INSIDE, "an empty mask: it is 0 everywhere", id="empty"),
        pytest.param(0.4 * INSIDE, "an empty mask: it is nowhere above 0.5 .at most 0.4", id="too soft"),
        pytest.param(INSIDE - 2, "an empty mask: it is nowhere above 0.5 .at most -1", id="negative"),
        pytest.param(INSIDE + 1, "a mask of everything: it is at least 1,", id="full"),
        pytest.param(INSIDE * np.nan, "NaN or infinity", id="NaN"),
    ],
)
def test_what_is_no_mask_is_refused_with_the_name_of_its_file(scan, tmp_path, data, message):
    path = saved(data, scan.affine, tmp_path / "mask.nii.gz")

    with pytest.raises(InputError, match=f"mask.nii.gz (is|has) {message}"):
        load_mask(path, scan, tmp_path / "scan.nii")


def test_a_mask_on_another_grid_is_refused_with_both_names_and_what_differs(scan, tmp_path):
    path = saved(INSIDE, np.diag([2.0, 2.0, 3.3, 1.0]), tmp_path / "mask.nii")

    with pytest.raises(InputError, match=r"mask\.nii is on another grid than .*scan\.nii: its spacing is 2 x 2 x 3\.3"):
        load_mask(path, scan, tmp_path / "scan.nii")


def test_a_tenth_of_a_millimetre_of_rounding_is_no_other_grid(scan):
    affine = scan.affine.copy()
    affine[0, 3] += 0.09

    check_mask(Volume(INSIDE, affine), scan)


@pytest.mark.parametrize(
    ("outside", "expected"),
    [
        pytest.param(0.0, True, id="nothing outside"),
        pytest.param(0.05, True, id="an edge of another program"),
        pytest.param(0.5, False, id="scalp"),
    ],
)
def test_a_scan_is_stripped_if_next_to_nothing_is_outside_its_brain(scan, outside, expected):
    left = np.flatnonzero(INSIDE == 0)[: int(outside * INSIDE.sum())]
    data = scan.data * INSIDE
    data.flat[left] = 1

    assert is_stripped(Volume(data, scan.affine), Volume(INSIDE, scan.affine)) is expected
