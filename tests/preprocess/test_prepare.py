import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.preprocess.masks import head_mask
from hail_mri.preprocess.prepare import WHITE_MATTER, along_axes, prepare

SPACING, STRIDE = 8.0, 4
SHIFT = np.array([[1, 0, 0, 0.3], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])  # mm

GRIDS = [
    pytest.param({}, id="isotropic"),
    pytest.param({"axcodes": "LPI"}, id="LPI"),
    pytest.param({"axcodes": "SRA", "shape": (46, 36, 44)}, id="SRA"),
    pytest.param({"rotation": (12, -8, 20)}, id="oblique"),
    pytest.param({"spacing": (3.0, 4.0, 9.0), "shape": (60, 56, 26)}, id="anisotropic, slices thicker than the grid"),
    pytest.param(
        {"rotation": (5, 5, 5), "axcodes": "LSP", "spacing": (5.0, 6.0, 4.0), "shape": (36, 38, 54)}, id="all"
    ),
    pytest.param({"centre": (300, -200, 1000)}, id="far from the origin"),
]


def prepared_head(volume, **choices):
    return prepare(volume, spacing=SPACING, stride=STRIDE, **choices)


def places(grid):
    """(3, I, J, K) places of the voxels in mm."""
    turned = np.einsum("ab,bijk->aijk", grid.affine[:3, :3], np.indices(grid.shape))
    return turned + grid.affine[:3, 3, None, None, None]


def middle_of(weight, grid):
    """Centre of gravity in mm."""
    return (places(grid) * weight).sum(axis=(1, 2, 3)) / weight.sum()


@pytest.mark.parametrize("grid", GRIDS)
class TestOnAnyGrid:
    def test_the_network_grid_is_isotropic_and_parallel_to_the_scans_axes(self, make_head, grid):
        prepared = prepared_head(make_head(**grid))
        np.testing.assert_allclose(prepared.grid.spacing, SPACING)
        native = prepared.canonical
        np.testing.assert_allclose(
            prepared.grid.affine[:3, :3] / SPACING, native.affine[:3, :3] / native.spacing, atol=1e-12
        )
        assert prepared.grid.axcodes == ("R", "A", "S")

    def test_its_edges_are_multiples_of_the_stride_and_hold_the_head_with_a_margin(self, make_head, grid):
        prepared = prepared_head(make_head(**grid))
        assert all(n % STRIDE == 0 for n in prepared.grid.shape)
        for axis in range(3):
            covered = prepared.weight.swapaxes(0, axis)
            assert covered[0].max() == covered[-1].max() == 0

    def test_it_is_centred_on_the_head(self, make_head, grid):
        prepared = prepared_head(make_head(**grid))
        head = np.argwhere(head_mask(prepared.canonical))
        middle = prepared.canonical.affine @ [*(head.min(axis=0) + head.max(axis=0)) / 2, 1]
        expected = prepared.grid.affine @ [*(np.array(prepared.grid.shape) - 1) / 2, 1]
        np.testing.assert_allclose(middle, expected, atol=1e-6)

    def test_means_are_preserved(self, make_head, grid):
        prepared = prepared_head(make_head(**grid))
        native = prepared.scale.apply(prepared.canonical.data)
        total = native.sum(dtype=float) * np.prod(prepared.canonical.spacing)
        assert prepared.data.sum(dtype=float) * SPACING**3 == pytest.approx(total, rel=1e-3)

    def test_a_landmark_is_found_at_its_place_in_mm(self, make_head, grid):
        head = make_head(noise=0, **grid)
        place = np.array([-20.0, 30.0, 25.0]) + grid.get("centre", (0, 0, 0))
        away = places(head.grid) - place[:, None, None, None]
        blob = 700 * np.exp(-0.5 * (away**2).sum(axis=0) / 12**2)
        prepared = prepared_head(head)
        found = along_axes(to_canonical(Volume(blob, head.affine)).data, prepared.to_network)
        np.testing.assert_allclose(middle_of(found, prepared.grid), place, atol=0.5)

    def test_the_way_back_takes_a_ramp_to_a_ramp_in_mm(self, make_head, grid):
        prepared = prepared_head(make_head(**grid))
        back = along_axes(places(prepared.grid)[0].astype(np.float32), prepared.to_native)
        inside = head_mask(prepared.canonical)
        np.testing.assert_allclose(back[inside], places(prepared.canonical.grid)[0][inside], atol=0.01 * SPACING)


def test_white_matter_has_its_place_and_air_is_0(make_head):
    prepared = prepared_head(make_head(noise=0))
    middle = tuple(n // 2 for n in prepared.grid.shape)
    off_ventricle = (middle[0] - 3, *middle[1:])
    assert prepared.data[off_ventricle] == pytest.approx(WHITE_MATTER, rel=0.05)
    assert np.abs(prepared.data[prepared.background > 0.999]).max() < 1e-6


def test_shares_of_head_and_air_add_up_to_1_inside_the_field_of_view(make_head):
    prepared = prepared_head(make_head())
    covered = along_axes(np.ones(prepared.canonical.shape, np.float32), prepared.to_network)
    np.testing.assert_allclose(prepared.weight + prepared.background, covered, atol=1e-5)


@pytest.mark.parametrize("offset", [-1024.0, 2000.0])
def test_an_offset_of_the_whole_scan_is_taken_off(make_head, offset):
    plain, head = prepared_head(make_head()), make_head()
    shifted = prepared_head(Volume(head.data + np.float32(offset), head.affine))
    assert shifted.scale.low == pytest.approx(offset)
    np.testing.assert_allclose(shifted.data, plain.data, atol=2e-3)


def test_the_gain_of_a_scanner_changes_nothing(make_head):
    head = make_head()
    plain, brighter = prepared_head(head), prepared_head(Volume(head.data * 64, head.affine))
    np.testing.assert_array_equal(brighter.data, plain.data)


def test_a_scan_and_its_flipped_copy_are_prepared_alike_bit_by_bit(make_head):
    head = make_head(rotation=(3, 7, -5), spacing=(4.7, 5.3, 5.1), shape=(39, 42, 46))
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = head.shape[0] - 1
    plain, flipped = prepared_head(head), prepared_head(Volume(head.data[::-1], head.affine @ flip))
    np.testing.assert_array_equal(flipped.data, plain.data)
    np.testing.assert_array_equal(flipped.to_native[0], plain.to_native[0])


def test_inputs_are_not_mutated(make_head):
    head = make_head()
    before = head.data.copy()
    prepared_head(head, region=head.with_data(head.data > 400))
    np.testing.assert_array_equal(head.data, before)


def test_the_network_sees_nothing_outside_a_brain_mask(make_head):
    head = make_head()
    brain = np.zeros(head.shape, np.float32)
    brain[8:28, 10:34, 10:36] = 1
    prepared = prepared_head(head, region=head.with_data(brain))
    assert (prepared.data[prepared.weight == 0] == 0).all()
    assert prepared.weight.sum() * SPACING**3 == pytest.approx(brain.sum() * 5.0**3, rel=1e-4)


@pytest.mark.parametrize(
    ("mask_of", "message"),
    [
        pytest.param(
            lambda head: head.with_data(np.zeros(head.shape)),
            "the mask is an empty mask: it is 0 everywhere",
            id="empty",
        ),
        pytest.param(
            lambda head: Volume(np.eye(9)[None].repeat(9, 0), head.affine), "its shape is 9", id="other shape"
        ),
        pytest.param(lambda head: Volume(head.data > 400, SHIFT @ head.affine), "its origin is", id="other place"),
    ],
)
def test_masks_that_do_not_fit_are_refused(make_head, mask_of, message):
    head = make_head()
    with pytest.raises(InputError, match=message):
        prepared_head(head, region=mask_of(head))


def test_voxel_sizes_that_make_a_giant_are_refused_before_they_fill_the_memory(make_head):
    micrometres = np.diag([5000.0, 5000.0, 5000.0, 1.0])
    with pytest.raises(InputError, match="mm across"):
        prepared_head(Volume(make_head().data, micrometres))


def test_a_mask_at_the_sides_of_the_head_only_is_measured_too(make_head):
    head = make_head()
    sides = np.zeros(head.shape, np.float32)
    sides[4:8, 10:34, 10:36] = sides[-8:-4, 10:34, 10:36] = 1
    assert np.isfinite(prepared_head(head, region=head.with_data(sides)).data).all()


def test_a_scan_whose_head_is_darker_than_its_air_is_refused(make_head):
    head = make_head()
    with pytest.raises(InputError, match="brain is not brighter than the air"):
        prepared_head(Volume(-head.data, head.affine))


def test_a_map_without_a_head_changes_nothing(make_head):
    prepared = prepare(make_head(), spacing=6.0, stride=4)
    assert prepared.with_head(np.zeros(prepared.data.shape, bool)) is prepared


def test_more_head_is_measured_and_no_longer_background(make_head):
    prepared = prepare(make_head(), spacing=6.0, stride=4)
    more = np.zeros(prepared.data.shape, bool)
    more[0] = True

    result = prepared.with_head(more)

    np.testing.assert_array_equal(result.weight[0], (prepared.weight + prepared.background)[0])
    assert (result.background[0] == 0).all()
    np.testing.assert_array_equal(result.weight[1:], prepared.weight[1:])
    np.testing.assert_allclose(result.background[1:], prepared.background[1:], atol=1e-6)


@pytest.mark.parametrize(
    ("noise", "head_share", "expected"),
    [
        pytest.param(True, 0.5, "the other", id="all is head, for noise, and most of it is not"),
        pytest.param(True, 0.8, "both", id="a head that fills the field of view"),
        pytest.param(False, 0.5, "both", id="another opinion on a head that was found"),
    ],
)
def test_a_head_mask_gives_way_only_where_it_is_the_whole_field_of_view(make_head, noise, head_share, expected):
    volume = make_head()
    if noise:
        uniform = np.random.default_rng(0).uniform(300, 900, volume.shape)
        volume = volume.with_data(np.where(volume.data == 0, uniform, volume.data).astype(np.float32))
    prepared = prepare(volume, spacing=6.0, stride=4)
    other = np.zeros(prepared.data.shape, bool)
    other[: round(head_share * len(other))] = True

    result = prepared.with_head(other)

    seen = other * (prepared.weight + prepared.background)
    wanted = seen if expected == "the other" else np.maximum(seen, prepared.weight)
    np.testing.assert_array_equal(result.weight, wanted)
    np.testing.assert_allclose(result.weight + result.background, prepared.weight + prepared.background, atol=1e-6)


def test_a_region_that_was_given_stays_all_that_is_measured(make_head):
    head = make_head()
    prepared = prepare(head, spacing=6.0, stride=4, region=head.with_data(head.data > 400))

    assert prepared.with_head(np.ones(prepared.data.shape, bool)) is prepared
