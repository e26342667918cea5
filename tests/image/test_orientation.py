from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hail_mri.errors import InputError
from hail_mri.image.grid import Grid
from hail_mri.image.orientation import orient_like, to_canonical
from hail_mri.image.volume import Volume

SHAPE = (5, 6, 7)
# Every way to hold a head in an array: six orders of the axes, eight combinations of directions.
ORIENTATIONS = [
    "".join(pair[flip] for pair, flip in zip(order, flips, strict=True))
    for order in permutations(("RL", "AP", "SI"))
    for flips in product((0, 1), repeat=3)
]


def volume_in(axcodes, rotation=(0, 0, 0)):
    """Numbered voxels, 1 x 1.5 x 2 mm in RAS, held in the given orientation, turned by angles in degrees."""
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    affine[:3, 3] = (-3, 4, -5)
    orientation = nib.orientations.axcodes2ornt(axcodes)
    data = nib.orientations.apply_orientation(np.arange(np.prod(SHAPE)).reshape(SHAPE), orientation)
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("xyz", rotation, degrees=True).as_matrix()
    return Volume(data, turn @ affine @ nib.orientations.inv_ornt_aff(orientation, SHAPE))


def value_at(volume, place_mm):
    """Intensity of the voxel whose centre is at a place in mm."""
    i, j, k = np.rint((np.linalg.inv(volume.affine) @ [*place_mm, 1])[:3]).astype(int)
    return volume.data[i, j, k]


def test_there_are_48_orientations():
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_every_orientation_becomes_the_same_canonical_volume(axcodes):
    canonical = to_canonical(volume_in(axcodes))
    assert canonical.grid.axcodes == ("R", "A", "S")
    np.testing.assert_array_equal(canonical.data, volume_in("RAS").data)
    np.testing.assert_allclose(canonical.affine, volume_in("RAS").affine, atol=1e-12)


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_every_orientation_comes_back_bit_by_bit(axcodes):
    volume = volume_in(axcodes, rotation=(20, -15, 10))
    back = orient_like(to_canonical(volume), volume.grid)
    np.testing.assert_array_equal(back.data, volume.data)
    np.testing.assert_array_equal(back.affine, volume.affine)


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_nibabel_agrees(axcodes):
    volume = volume_in(axcodes, rotation=(10, 20, 30))
    expected = nib.as_closest_canonical(nib.Nifti1Image(volume.data, volume.affine))
    canonical = to_canonical(volume)
    np.testing.assert_array_equal(canonical.data, expected.get_fdata())
    np.testing.assert_allclose(canonical.affine, expected.affine)


@given(st.sampled_from(ORIENTATIONS), st.tuples(*[st.floats(-180, 180)] * 3))
def test_no_voxel_moves_in_space_whatever_the_angle(axcodes, rotation):
    volume = volume_in(axcodes, rotation)
    canonical = to_canonical(volume)
    for index in ((0, 0, 0), (1, 2, 3), (4, 4, 4)):
        place = (volume.affine @ [*index, 1])[:3]
        assert value_at(canonical, place) == volume.data[index]
    back = orient_like(canonical, volume.grid)
    np.testing.assert_array_equal(back.data, volume.data)


def test_the_way_back_goes_to_another_scan_of_the_same_voxels():
    back = orient_like(volume_in("PIR"), volume_in("LAS").grid)
    np.testing.assert_array_equal(back.data, volume_in("LAS").data)


def test_what_torch_cannot_take_does_not_come_out():
    assert all(stride > 0 for stride in to_canonical(volume_in("LPI")).data.strides)


@pytest.mark.parametrize(
    "grid",
    [
        pytest.param(Grid(SHAPE, np.diag([1.0, 1.5, 2.5, 1.0])), id="other spacing"),
        pytest.param(Grid((5, 6, 8), volume_in("RAS").affine), id="other shape"),
        pytest.param(Grid(SHAPE, np.diag([1.0, 1.5, 2.0, 1.0])), id="other place"),
        pytest.param(volume_in("RAS", rotation=(5, 0, 0)).grid, id="other angle"),
    ],
)
def test_a_grid_that_holds_other_voxels_is_refused(grid):
    with pytest.raises(InputError, match="grid"):
        orient_like(volume_in("RAS"), grid)
