from dataclasses import replace
from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.harmonize.harmonizer import Harmonizer, harmonize
from hail_mri.harmonize.style_card import StyleCard
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.model.weights import load_model, save_model

# Every way to hold a head in an array: six orders of the axes, eight combinations of directions.
ORIENTATIONS = [
    "".join(pair[flip] for pair, flip in zip(order, flips, strict=True))
    for order in permutations(("RL", "AP", "SI"))
    for flips in product((0, 1), repeat=3)
]

UNUSUAL = [
    pytest.param({"spacing": (1.5, 1.5, 9.0), "shape": (100, 120, 24)}, id="very anisotropic"),
    pytest.param({"spacing": (9.0, 2.0, 2.0), "shape": (20, 92, 98)}, id="thick sagittal slices"),
    pytest.param({"spacing": 0.4, "shape": (48, 48, 48)}, id="0.4 mm, small field of view"),
    pytest.param({"shape": (36, 44, 20), "centre": (0, 0, 0)}, id="partial field of view"),
    pytest.param({"shape": (8, 44, 46)}, id="a slab of eight slices"),
    pytest.param({"rotation": (44, 44, 44)}, id="as oblique as can be"),
    pytest.param({"spacing": 30.0, "shape": (8, 8, 8)}, id="eight huge voxels an axis"),
]


# For laws that the released weights show in the fast suite, too; the others of theirs are slow.
with_released_weights = pytest.mark.parametrize("model", ["small", "small_tissue", "compact"], indirect=True)


def held(volume, axcodes):
    """The same voxels in another order of the axes."""
    orientation = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(volume.affine), nib.orientations.axcodes2ornt(axcodes)
    )
    image = nib.Nifti1Image(volume.data, volume.affine).as_reoriented(orientation)
    return Volume(image.get_fdata(dtype=np.float32), image.affine)


def distance(a, b):
    """Largest difference, as a share of the range of the second."""
    return np.abs(a.data - b.data).max() / np.ptp(b.data)


class TestLaws:
    @with_released_weights
    def test_target_equal_to_source_gives_back_the_source(self, model, make_head):
        source = make_head(rotation=(10, 5, 0))
        assert distance(harmonize(source, source, model=model), source) < 1e-5

    def test_strength_0_gives_back_the_source_exactly(self, model, make_head, other_head):
        source = make_head()
        np.testing.assert_array_equal(harmonize(source, other_head, model=model, strength=0.0).data, source.data)

    def test_half_the_strength_is_half_way_in_units(self, model, make_head):
        source = make_head()
        louder = Volume(source.data * 16, source.affine)
        half = harmonize(source, louder, model=model, strength=0.5).data
        np.testing.assert_allclose(half, 8.5 * source.data, rtol=1e-4, atol=1e-2)

    def test_half_the_strength_is_half_way_in_contrast(self, model, make_head, other_head):
        source = make_head()
        grey, white = (np.abs(source.data - level) < 60 for level in (500, 700))
        harmonizer = Harmonizer(other_head, model=model)
        read, ratios = harmonizer.read(source), []
        for strength in (0.0, 0.25, 0.5, 0.75, 1.0):
            result = harmonizer.change(read, strength=strength).volume.data
            ratios.append(float(np.mean(result[grey]) / np.mean(result[white])))
        steps = np.diff(ratios)
        assert (np.sign(steps) == np.sign(steps[0])).all()
        assert ratios[2] == pytest.approx((ratios[0] + ratios[4]) / 2, abs=0.3 * abs(ratios[4] - ratios[0]))

    def test_a_dark_voxel_inside_the_head_changes_with_its_neighbours(self, model, make_head, other_head):
        data = make_head(noise=0).data.copy()
        fluid = np.argwhere(data == 200)
        inner = tuple(fluid[np.abs(fluid - np.array(data.shape) / 2).sum(axis=1).argmin()])
        data[inner] = 0
        harmonizer = Harmonizer(other_head, model=model)
        read = harmonizer.read(Volume(data, make_head().affine))
        carried, drawn = (harmonizer.change(read, output_mode=mode).volume.data for mode in ("transfer", "network"))
        assert (carried[0, 0] == 0).all()
        assert drawn[inner] != 0

    def test_the_result_is_in_the_targets_units(self, model, make_head, other_head):
        source = make_head()
        result, tenfold = (
            harmonize(source, Volume(other_head.data * gain, other_head.affine), model=model).data for gain in (1, 16)
        )
        np.testing.assert_allclose(tenfold, 16 * result, rtol=1e-5, atol=1e-3)

    def test_the_gain_of_the_sources_scanner_does_not_matter(self, model, make_head, other_head):
        source = make_head()
        louder = Volume(source.data * 16, source.affine)
        result = harmonize(source, other_head, model=model)
        assert distance(harmonize(louder, other_head, model=model), result) < 1e-5

    def test_a_second_run_gives_the_same_bits(self, model, make_head, other_head):
        source, harmonizer = make_head(), Harmonizer(other_head, model=model)
        first = harmonizer.run(source).volume.data
        harmonizer.run(make_head(spacing=6.0))
        np.testing.assert_array_equal(harmonizer.run(source).volume.data, first)
        np.testing.assert_array_equal(harmonize(source, other_head, model=model).data, first)

    @with_released_weights
    def test_zero_background_stays_zero_and_nothing_becomes_negative(self, model, make_head, other_head):
        source = make_head()
        result = harmonize(source, other_head, model=model).data
        assert (result[source.data == 0] == 0).all()
        assert result.min() >= 0
        assert result.std() > 0

    def test_a_background_that_is_no_intensity_changes_nothing_and_stays(self, small_model, make_head, other_head):
        source = make_head(noise=0)
        outside = source.data == 0
        marked = source.with_data(np.where(outside, np.float32(-32768), source.data))
        result, expected = (harmonize(s, other_head, model=small_model).data for s in (marked, source))
        np.testing.assert_array_equal(result[outside], -32768)
        np.testing.assert_allclose(result[~outside], expected[~outside], rtol=1e-4)

    def test_inputs_are_not_mutated(self, model, make_head, other_head):
        source, mask = make_head(), make_head(noise=0)
        kept = [volume.data.copy() for volume in (source, other_head, mask)]
        harmonize(source, other_head, model=model, brain_mask=mask.with_data(mask.data > 400))
        for volume, before in zip((source, other_head, mask), kept, strict=True):
            np.testing.assert_array_equal(volume.data, before)


@pytest.fixture(scope="module")
def plain_harmonizer_and_result(small_model, make_head):
    """A scan on a coarse grid of unlike axes, the harmonizer to another's look, and its result."""
    plain = make_head(spacing=(8.0, 11.0, 9.0), shape=(22, 20, 26), rotation=(8, -6, 11))
    target = make_head(signal=(0, 300, 90, 150, 260, 330), spacing=8.0, shape=(24, 28, 28))
    harmonizer = Harmonizer(target, model=small_model)
    return plain, harmonizer, harmonizer.run(plain).volume


class TestGeometry:
    @pytest.mark.parametrize("axcodes", ORIENTATIONS)
    def test_the_same_scan_held_otherwise_gives_the_same_result_held_otherwise(
        self, plain_harmonizer_and_result, axcodes
    ):
        plain, harmonizer, expected = plain_harmonizer_and_result
        turned = held(plain, axcodes)
        found = harmonizer.run(turned).volume
        assert found.grid.axcodes == tuple(axcodes)
        np.testing.assert_array_equal(found.affine, turned.affine)
        np.testing.assert_array_equal(to_canonical(found).data, expected.data)

    def test_a_target_held_otherwise_is_the_same_target(self, model, other_head):
        cards = [StyleCard.from_volumes([held(other_head, axcodes)], model=model) for axcodes in ("RAS", "LPI", "SRA")]
        assert cards[0] == cards[1] == cards[2]

    @pytest.mark.parametrize("codes", [(1, 1), (2, 4), (0, 1), (1, 0), (3, 0)])
    def test_shape_affine_qform_sform_and_codes_are_those_of_the_source(
        self, small_model, make_head, other_head, codes, tmp_path
    ):
        scan = make_head(axcodes="LIP", rotation=(5, -9, 14), spacing=(5, 4, 6), shape=(36, 48, 38))
        image = nib.Nifti1Image(scan.data, scan.affine)
        image.set_qform(scan.affine, codes[0])
        image.set_sform(scan.affine, codes[1])
        nib.save(image, tmp_path / "source.nii.gz")

        result = harmonize(load_volume(tmp_path / "source.nii.gz"), other_head, model=small_model)
        save_volume(result, tmp_path / "result.nii.gz")

        source, saved = (nib.load(tmp_path / name) for name in ("source.nii.gz", "result.nii.gz"))
        assert saved.shape == source.shape
        np.testing.assert_allclose(saved.affine, source.affine, atol=1e-5)
        for form in ("qform", "sform"):
            assert int(saved.header[f"{form}_code"]) == int(source.header[f"{form}_code"])
        np.testing.assert_allclose(saved.header.get_qform(), source.header.get_qform(), atol=1e-5)
        np.testing.assert_array_equal(saved.header.get_sform(), source.header.get_sform())

    @pytest.mark.parametrize("grid", UNUSUAL)
    def test_unusual_grids_are_kept_and_give_sane_intensities(self, model, make_head, other_head, grid):
        source = make_head(**grid)
        result = harmonize(source, other_head, model=model)
        assert result.grid.is_close(source.grid, tolerance_mm=1e-9)
        assert result.data.min() >= 0
        assert result.data.max() < 10 * other_head.data.max()

    @pytest.mark.parametrize("grid", UNUSUAL)
    def test_unusual_grids_come_back_when_they_are_their_own_target(self, model, make_head, grid):
        source = make_head(**grid)
        assert distance(harmonize(source, source, model=model), source) < 1e-5


class TestChoices:
    def test_the_result_in_network_mode_is_the_prediction_and_as_blurred(self, model, make_head, other_head):
        source = make_head()
        harmonizer = Harmonizer(other_head, model=model)
        read = harmonizer.read(source)
        drawn, carried = (harmonizer.change(read, output_mode=mode).volume for mode in ("network", "transfer"))
        assert drawn.grid.is_close(source.grid)
        assert drawn.data.min() >= 0
        assert (drawn.data[source.data == 0] == 0).all()
        assert not np.allclose(drawn.data, carried.data)

    def test_a_brain_mask_decides_what_the_network_sees(self, model, make_head, other_head):
        source = make_head(noise=0)
        mask = source.with_data((source.data > 400) & (source.data < 800))
        darker_scalp = source.with_data(np.minimum(source.data, 800))
        harmonizer = Harmonizer(other_head, model=model)
        masked = harmonizer.run(source, brain_mask=mask).volume.data
        other_scalp = harmonizer.run(darker_scalp, brain_mask=mask).volume.data
        brain = mask.data > 0
        assert not np.allclose(masked, harmonizer.run(source).volume.data)
        assert np.isfinite(masked).all()
        assert np.abs(masked - other_scalp)[brain].mean() < 0.02 * np.ptp(masked[brain])

    def test_a_brain_mask_and_the_scan_itself_as_target_change_nothing_without_scalp(self, model, make_head):
        whole = make_head(noise=0)
        brain = (whole.data > 150) & (whole.data < 800)
        source = whole.with_data(whole.data * brain)
        assert distance(harmonize(source, source, model=model), source) < 1e-5

    def test_a_scan_with_an_offset_keeps_its_contrast(self, model, make_head, other_head):
        source = make_head()
        plain = harmonize(source, other_head, model=model).data
        shifted = harmonize(Volume(source.data - 1024, source.affine), other_head, model=model).data
        np.testing.assert_allclose(shifted, plain, atol=0.01 * np.ptp(plain))

    def test_the_time_of_every_stage_is_told(self, small_model, make_head, other_head):
        harmonized = Harmonizer(other_head, model=small_model).run(make_head())
        stages = ["prepare", "network", "checks", "predict", "transfer", "finish", "result checks"]
        assert list(harmonized.seconds) == stages
        assert min(harmonized.seconds.values()) > 0

    @pytest.mark.parametrize(
        "choice", [{"device": "tpu"}, {"threads": 0}, {"seed": -1}, {"model": "nothing"}], ids=lambda c: next(iter(c))
    )
    def test_choices_that_cannot_be_are_refused(self, small_model, other_head, choice):
        with pytest.raises((InputError, FileNotFoundError)):
            Harmonizer(other_head, **({"model": small_model} | choice))

    @pytest.mark.parametrize("choice", [{"strength": 1.5}, {"output_mode": "paper"}], ids=lambda c: next(iter(c)))
    def test_choices_of_a_run_that_cannot_be_are_refused(self, small_model, make_head, other_head, choice):
        with pytest.raises(InputError):
            Harmonizer(other_head, model=small_model).run(make_head(), **choice)


@pytest.mark.parametrize("whose", ["source", "target"])
def test_what_is_odd_about_a_header_is_a_warning(small_model, make_head, other_head, whose):
    scans = {"source": make_head(), "target": other_head}
    scans[whose] = Volume(scans[whose].data, scans[whose].affine, warnings=["both codes are 0"])
    with pytest.warns(UserWarning, match="both codes are 0"):
        harmonize(scans["source"], scans["target"], model=small_model)


def test_what_the_model_card_wants_to_be_said_is_a_warning(small_model, make_head, other_head, tmp_path):
    network, card = load_model(small_model)
    cautious = save_model(network, replace(card, caution="worse than doing nothing"), tmp_path / "cautious.safetensors")
    source = make_head()
    assert "worse than doing nothing" in Harmonizer(other_head, model=cautious).run(source).warnings
    assert Harmonizer(other_head, model=small_model).run(source).warnings == ()
