"""The checks of results on a simulated slab that was harmonized as it should be, and on the same result broken."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.harmonize.result_checks import Wanted, check_result
from hail_mri.harmonize.result_sample import at_native_voxels, brain_of
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.model.tissue_classes import CSF, GREY_MATTER

WHITE = 0.6  # of white matter on the [0, 1] scale


def by_name(checks):
    return {check.name: check for check in checks}


def not_ok(checks):
    return [str(check) for check in checks if check.verdict != "ok"]


@pytest.fixture(scope="module")
def card(simulated_slab):
    """The look of another site: grey matter nearer to white matter, darker fluid, other units."""
    card = Harmonizer(simulated_slab).style
    means = list(card.style.means)
    means[GREY_MATTER] += 0.06
    means[CSF] -= 0.05
    return replace(card, style=replace(card.style, means=tuple(means)), low=20.0, high=520.0)


@pytest.fixture(scope="module")
def harmonizer(card):
    return Harmonizer(card)


@pytest.fixture(scope="module")
def source(harmonizer, simulated_slab):
    return harmonizer.read(simulated_slab)


@pytest.fixture(scope="module")
def harmonized(harmonizer, source):
    return harmonizer.change(source)


@pytest.fixture(scope="module")
def wanted(card):
    return Wanted(card.style, card.scale)


@pytest.fixture(scope="module")
def from_middle(source):
    """Distance of every voxel from a place beside the brain's middle, mm."""
    brain = at_native_voxels(source, brain_of(source), np.s_[:, :, :])
    middle = np.argwhere(brain).mean(axis=0) + np.array([9, 6, 0])
    return 2.0 * np.sqrt(((np.indices(brain.shape) - middle[:, None, None, None]) ** 2).sum(axis=0))


def test_a_result_as_it_should_be_passes_all(harmonized, source):
    assert np.abs(harmonized.volume.data - source.volume.data).mean() > 1
    assert not not_ok(harmonized.result_checks)
    assert {check.name for check in harmonized.result_checks} == {
        "geometry",
        "values below no signal",
        "voxels with one value",
        "edges as in the source",
        "unexplained change",
        "unexplained change at its worst place",
        "contrast of tissues",
    }


def test_a_result_that_is_the_source_passes_all(source):
    scale = source.preparation.native(source.reading.prepared).scale
    checks = check_result(source, source.volume, Wanted(source.reading.style, scale))
    assert not not_ok(checks)
    assert by_name(checks)["unexplained change at its worst place"].found == "0 of white matter"
    assert by_name(checks)["contrast of tissues"].found.startswith("1 ")


@pytest.mark.parametrize("axcodes", ["LPI", "SAR"])
def test_how_a_scan_is_held_does_not_matter(source, harmonized, wanted, axcodes):
    import nibabel as nib

    to = nib.orientations.axcodes2ornt(axcodes)

    def held(volume):
        image = nib.Nifti1Image(volume.data, volume.affine)
        turned = image.as_reoriented(nib.orientations.ornt_transform(nib.io_orientation(volume.affine), to))
        return Volume(np.asarray(turned.dataobj), turned.affine)

    turned = replace(source, volume=held(source.volume))
    assert check_result(turned, held(harmonized.volume), wanted) == harmonized.result_checks


def pasted(scaled, distance):
    return scaled + 0.5 * WHITE * (distance < 8)


def faint(scaled, distance):
    return scaled + 0.2 * WHITE * (distance < 6)


@pytest.mark.parametrize(
    ("name", "spoil", "verdict"),
    [
        pytest.param("contrast of tissues", lambda s, _: np.maximum(0.9 - s, 0), "fail", id="flipped"),
        pytest.param("unexplained change at its worst place", pasted, "fail", id="a ball pasted in"),
        pytest.param("unexplained change at its worst place", faint, "check", id="a faint ball pasted in"),
        pytest.param("voxels with one value", lambda s, _: np.minimum(s, 0.9 * WHITE), "fail", id="clipped"),
        pytest.param("voxels with one value", lambda s, _: np.maximum(s, 0.5 * WHITE), "fail", id="dark end cut off"),
        pytest.param("edges as in the source", lambda s, _: ndimage.gaussian_filter(s, 1.0), "fail", id="blurred"),
        pytest.param("unexplained change", lambda s, _: ndimage.gaussian_filter(s, 1.0), "check", id="blurred a bit"),
        pytest.param("edges as in the source", lambda s, _: np.roll(s, 1, axis=0), "fail", id="moved by a voxel"),
        pytest.param("values below no signal", lambda s, _: s - 0.2 * WHITE, "fail", id="negative"),
    ],
)
def test_what_is_broken_is_told(source, harmonized, wanted, from_middle, name, spoil, verdict):
    scaled = wanted.scale.apply(harmonized.volume.data)
    broken = wanted.scale.invert(np.asarray(spoil(scaled, from_middle), np.float32))
    found = by_name(check_result(source, harmonized.volume.with_data(broken), wanted))
    assert found[name].verdict == verdict, str(found[name])


def test_one_negative_voxel_is_told(source, harmonized, wanted):
    data = harmonized.volume.data.copy()
    data[30, 40, 10] = -1
    found = by_name(check_result(source, harmonized.volume.with_data(data), wanted))
    assert found["values below no signal"].verdict == "check"


def test_negative_values_are_none_where_units_go_below_0(source, harmonized, wanted):
    scaled = wanted.scale.apply(harmonized.volume.data)
    standardized = replace(wanted.scale, low=-500.0, high=100.0)
    result = harmonized.volume.with_data(standardized.invert(scaled))
    assert result.data.min() < -400
    assert not not_ok(check_result(source, result, replace(wanted, scale=standardized)))


@pytest.mark.parametrize("step", [0.01, 5.0])
def test_a_result_that_lies_elsewhere_fails_and_nothing_else_is_said(source, harmonized, wanted, step):
    moved = harmonized.volume.affine.copy()
    moved[0, 3] += step
    (check,) = check_result(source, Volume(harmonized.volume.data, moved), wanted)
    assert (check.name, check.verdict) == ("geometry", "fail")
    assert f"{step:.3g} mm away" in check.found


def test_a_result_of_another_shape_fails(source, harmonized, wanted):
    (check,) = check_result(source, Volume(harmonized.volume.data[1:], harmonized.volume.affine), wanted)
    assert check.verdict == "fail"
    assert "the shape is" in check.found


def test_a_prediction_that_is_blurred_as_it_is_meant_to_be_does_not_fail(harmonizer, source):
    checks = by_name(harmonizer.change(source, output_mode="network").result_checks)
    assert checks["edges as in the source"].verdict == "check"
    assert "fail" not in {check.verdict for check in checks.values()}


@pytest.fixture(scope="module", params=[-0.4, 0.4], ids=["dark", "bright"])
def with_lesion(request, harmonizer, simulated_slab, from_middle):
    """A source with a lesion, read with its mask, and its result."""
    scale = harmonizer.read(simulated_slab).preparation.prepared.scale
    added = request.param * WHITE * (scale.high - scale.low) * np.clip((9 - from_middle) / 2 + 0.5, 0, 1)
    source = harmonizer.read(
        simulated_slab.with_data(np.maximum(simulated_slab.data + added, 0)),
        lesion_mask=simulated_slab.with_data(from_middle < 9),
    )
    return source, harmonizer.change(source)


def test_a_lesion_that_is_kept_passes(with_lesion):
    found = by_name(with_lesion[1].result_checks)
    assert not not_ok(found.values())
    assert {"lesions judged", "lesion contrast", "lesion volume", "lesion in the brain"} <= set(found)


@pytest.mark.parametrize(
    ("name", "share", "reach", "verdict"),
    [
        pytest.param("lesion contrast", -1.0, 9, "fail", id="turned round"),
        pytest.param("lesion contrast", 0.4, 9, "check", id="faded"),
        pytest.param("lesion volume", 0.0, 5, "fail", id="shrunk"),
    ],
)
def test_a_lesion_that_is_not_kept_is_told(with_lesion, wanted, from_middle, name, share, reach, verdict):
    source, harmonized = with_lesion
    data = harmonized.volume.data
    around = float(np.median(data[(from_middle > 11) & (from_middle < 14)]))
    where = (from_middle < 11) if reach == 9 else (from_middle > reach) & (from_middle < 11)
    broken = harmonized.volume.with_data(np.where(where, around + share * (data - around), data))
    assert by_name(check_result(source, broken, wanted))[name].verdict == verdict


def test_a_lesion_mask_beside_the_brain_is_told(harmonizer, simulated_slab, source):
    brain = at_native_voxels(source, brain_of(source), np.s_[:, :, :])
    beside = to_canonical(simulated_slab).data > 0
    beside &= ~ndimage.binary_dilation(brain, iterations=4)
    beside[:, : brain.shape[1] // 2] = False
    found = by_name(harmonizer.run(simulated_slab, lesion_mask=simulated_slab.with_data(beside)).result_checks)
    assert found["lesion in the brain"].verdict == "check"


def test_a_model_that_knows_no_tissues_says_what_voxels_tell(small_model, make_head):
    source = make_head()
    checks = by_name(Harmonizer(source, model=small_model).run(source).result_checks)
    assert not not_ok(checks.values())
    assert "contrast of tissues" not in checks
    assert "unexplained change" in checks
