"""The checks on a simulated head as it is, and spoilt in ways that would give plausible results without a word.

Where a slab of the head shows it, too, a slab is read. Of ways that are alike, one is in the fast suite.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from hail_mri.harmonize.check import Check, failures
from hail_mri.harmonize.checks import check_pair, check_reading, check_style
from hail_mri.harmonize.models import load_style_model
from hail_mri.image.volume import Volume
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.preprocess.prepare import prepare

SPACING = 2.0  # mm


def slow(*values, **options):
    return pytest.param(*values, **options, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def scan(simulated_scan):
    return simulated_scan


@pytest.fixture(scope="module")
def white_matter(scan, visit):
    return float(np.median(scan.data[visit.head.white_matter.numpy() > 0.9]))


@pytest.fixture(scope="module")
def model():
    return load_style_model("compact", torch.device("cpu"))[0]


@pytest.fixture(scope="module")
def reading(scan, model):
    return read(scan, model)


@pytest.fixture(scope="module")
def slab_verdicts(simulated_slab, model):
    return verdicts(simulated_slab, model)


@pytest.fixture(scope="module")
def stripped_reading(scan, visit, model):
    """Of the brain alone."""
    return read(scan.with_data(np.where(visit.head.brain.numpy(), scan.data, 0)), model)


def read(volume, model, region=None):
    with torch.inference_mode():
        return model.read(prepare(volume, spacing=model.spacing, stride=model.stride, region=region))


def by_name(checks):
    return {check.name: check for check in checks}


def checks_of(volume, model):
    return by_name(check_reading(read(volume, model)))


def verdicts(volume, model):
    return {name: check.verdict for name, check in checks_of(volume, model).items()}


def flipped(volume, axis):
    """The same voxels with an axis of the header pointing the other way."""
    return Volume(np.flip(volume.data, axis).copy(), np.diag([*volume.spacing, 1.0]))


def turned(volume, *axes):
    """The same voxels with the axes of the header exchanged."""
    return Volume(volume.data.transpose(axes).copy(), np.diag([*volume.spacing[list(axes)], 1.0]))


def test_a_simulated_head_passes(reading):
    checks = by_name(check_reading(reading))
    assert not failures(checks.values())
    odd = {name for name, check in checks.items() if check.verdict != "ok"}
    assert not odd, [str(checks[name]) for name in odd]


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        pytest.param(lambda v: flipped(v, 2), "brain stem above the brain's middle", id="upside down"),
        slow(lambda v: flipped(v, 1), "eyes before the brain's middle", id="front and back exchanged"),
        slow(lambda v: turned(v, 1, 0, 2), "brain width / length", id="left-right and front-back exchanged"),
        slow(lambda v: turned(v, 0, 2, 1), "eyes before the brain's middle", id="front-back and head-foot"),
        slow(lambda v: turned(v, 2, 1, 0), "familiarity", id="left-right and head-foot exchanged"),
        pytest.param(lambda v: Volume(v.data, np.diag([0.2, 0.2, 0.2, 1])), "brain volume", id="centimetres for mm"),
        slow(lambda v: Volume(v.data, np.diag([2.0, 2.0, 6.0, 1])), "head size", id="slices three times as far"),
        pytest.param(lambda v: Volume(v.data, np.diag([0.8, 0.8, 0.8, 1])), "brain volume", id="an animal's size"),
    ],
)
def test_headers_that_are_wrong_fail(scan, model, spoil, name):
    assert verdicts(spoil(scan), model)[name] == "fail"


def by_curve(data, white_matter, values):
    """Another contrast: intensities of air, bone, fluid, grey matter, white matter and fat become others."""
    return (white_matter * np.interp(data / white_matter, [0, 0.08, 0.3, 0.6, 1.0, 1.5, 3], values)).astype(np.float32)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([0, 0.1, 2.0, 1.1, 0.7, 0.9, 1.2], id="T2-weighted"),
        slow([0, 0.05, 0.2, 1.1, 0.8, 0.9, 1.2], id="FLAIR"),
        slow([0, 0.1, 1.1, 1.15, 1.0, 1.1, 1.2], id="proton density"),
    ],
)
def test_other_contrasts_fail(scan, white_matter, model, values):
    changed = scan.with_data(by_curve(scan.data, white_matter, values))
    found = verdicts(changed, model)
    assert found["grey matter / white matter"] == "fail"
    assert found["familiarity"] == "fail"


@pytest.mark.slow
def test_a_computed_tomogram_fails(scan, visit, model):
    brain, head = visit.head.brain.numpy(), visit.head.head.numpy()
    skull = ndimage.binary_dilation(brain, iterations=4) & ~ndimage.binary_dilation(brain)
    soft = np.random.default_rng(0).normal(35, 4, scan.shape)
    units = np.where(skull, 1000, np.where(head, soft, -1000)).astype(np.float32)
    assert failures(checks_of(scan.with_data(units), model).values())


@pytest.mark.parametrize("what", ["sphere", slow("noise in a ball"), slow("layers"), slow("brain mask")])
def test_what_is_no_head_fails(visit, model, what):
    radius = 2.2 * np.sqrt(((np.indices((96, 96, 96)) - 47.5) ** 2).sum(axis=0))
    rng = np.random.default_rng(0)
    data, spacing = {
        "sphere": ((radius < 85) * 500 + rng.uniform(0, 20, radius.shape), 2.2),
        "noise in a ball": (np.where(radius < 85, rng.uniform(0, 500, radius.shape), 0), 2.2),
        "layers": (np.select([radius < 60, radius < 70, radius < 85], [500, 350, 800], 0) + rng.uniform(0, 9), 2.2),
        "brain mask": (visit.head.brain.numpy(), SPACING),
    }[what]
    volume = Volume(data.astype(np.float32), np.diag([spacing, spacing, spacing, 1.0]))
    assert failures(checks_of(volume, model).values())


@pytest.mark.slow
def test_a_top_that_is_cut_off_is_told(scan, visit, model):
    top = int(np.flatnonzero(visit.head.brain.numpy().any(axis=(0, 1)))[-1])
    found = checks_of(Volume(scan.data[:, :, : top - 5], scan.affine), model)
    assert found["brain cut by the field of view"].verdict == "check"
    assert not failures(found.values())


def test_thick_slices_are_told(simulated_slab, model):
    thick = simulated_slab.data.reshape(*simulated_slab.shape[:2], -1, 2).mean(axis=-1)
    found = verdicts(Volume(thick, simulated_slab.affine @ np.diag([1, 1, 2, 1])), model)
    assert found["slice thickness"] == "check"


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        pytest.param(lambda d, w: np.round(16 * d / w), "values in the brain", id="few levels"),
        pytest.param(lambda d, w: np.minimum(d, 1.05 * w), "clipped voxels of the brain", id="clipped"),
        pytest.param(lambda d, w: all_but_one(d, 1.05 * w), "clipped voxels of the brain", id="clipped but for one"),
        pytest.param(lambda d, w: np.minimum(d, 1.2 * w), "clipped voxels of the head", id="bright tissue clipped"),
        pytest.param(lambda d, w: np.maximum(d - 0.3 * w, 0), "zeros inside the brain", id="dark end cut off"),
    ],
)
def test_voxels_that_lost_their_values_are_told(simulated_slab, slab_verdicts, white_matter, model, spoil, name):
    spoilt = simulated_slab.with_data(spoil(simulated_slab.data, white_matter).astype(np.float32))
    assert slab_verdicts[name] == "ok"
    assert verdicts(spoilt, model)[name] == "check"


def test_dark_voxels_set_to_0_are_told(scan, white_matter, reading, model):
    spoilt = scan.with_data(np.where(scan.data < 0.2 * white_matter, 0, scan.data).astype(np.float32))
    assert by_name(check_reading(reading))["zeros inside the head"].verdict == "ok"
    assert verdicts(spoilt, model)["zeros inside the head"] == "check"


def all_but_one(data, limit):
    """Clip, beside a marker that is much brighter."""
    data = np.minimum(data, limit)
    data[tuple(n // 2 for n in data.shape)] = 3 * data.max()
    return data


def test_a_strong_receive_field_is_told(simulated_slab, slab_verdicts, model):
    places = np.indices(simulated_slab.shape, dtype=np.float32)[1] * SPACING
    shaded = simulated_slab.with_data(simulated_slab.data * np.exp((places - places.mean()) / 90))
    assert slab_verdicts["receive field in the brain"] == "ok"
    assert verdicts(shaded, model)["receive field in the brain"] == "check"


def masked_verdicts(scan, mask, model):
    checks = check_reading(read(scan, model, region=Volume(mask.astype(np.float32), scan.affine)))
    return {check.name: check.verdict for check in checks}


def test_a_brain_mask_that_is_right_is_ok(scan, visit, model):
    found = masked_verdicts(scan, visit.head.brain.numpy() > 0.5, model)
    assert set(found.values()) == {"ok"}, found


@pytest.mark.parametrize("wrong", [slow("the head"), "shifted by 24 mm"])
def test_a_mask_that_is_not_of_the_brain_is_told(scan, visit, model, wrong):
    brain, head = visit.head.brain.numpy() > 0.5, visit.head.head.numpy() > 0.5
    mask = head if wrong == "the head" else np.roll(brain, int(24 / SPACING), axis=1)
    assert masked_verdicts(scan, mask, model)["brain in the brain mask"] == "check"


@pytest.mark.parametrize(
    ("tissue", "mean", "name"),
    [
        ("grey_matter", 1.2, "grey matter / white matter"),
        ("csf", 0.9, "fluid / grey matter"),
        ("white_matter", 3.0, "white matter of the card"),
    ],
)
def test_a_card_that_was_edited_fails(reading, tissue, mean, name):
    means = list(reading.style.means)
    means[TISSUE_CLASSES.index(tissue)] = mean

    as_it_was, edited = (
        {check.name: check.verdict for check in check_style(style, 0.0, 900.0)}
        for style in (reading.style, replace(reading.style, means=tuple(means)))
    )

    assert set(as_it_was.values()) == {"ok"}
    assert edited[name] == "fail"


def test_a_zero_point_that_was_guessed_is_told(simulated_slab, slab, visit, model):
    brain = visit.head.brain.numpy()[slab]
    inside = simulated_slab.data[brain]
    standardized = np.where(brain, (simulated_slab.data - inside.mean()) / inside.std(), 0).astype(np.float32)
    check = checks_of(simulated_slab.with_data(standardized), model)["intensity of no signal"]
    assert (check.verdict, "guessed" in check.found) == ("check", True)


def test_a_brain_alone_passes(stripped_reading):
    checks = by_name(check_reading(stripped_reading))
    assert not failures(checks.values())
    assert "eyes before the brain's middle" not in checks


def test_a_brain_alone_beside_a_whole_head_is_told(reading, stripped_reading):
    styles = [reading.style, stripped_reading.style]
    found = [check_pair(source, target)[0].verdict for source in styles for target in styles]
    assert found == ["ok", "check", "check", "ok"]


def test_looks_that_are_farther_apart_than_sites_are_told(reading):
    far = replace(reading.style, means=tuple(3 * mean if mean < 0.55 else mean for mean in reading.style.means))
    found = [by_name(check_pair(reading.style, other))["distance of looks"] for other in (reading.style, far)]
    assert [check.verdict for check in found] == ["ok", "check"]
    assert found[0].found.startswith("0 ")


def test_a_model_without_tissues_checks_the_voxels(make_head, small_model):
    model, _, _ = load_style_model(small_model, torch.device("cpu"))
    assert set(verdicts(make_head(), model)) == {
        "head size",
        "zeros inside the head",
        "clipped voxels of the head",
        "values in the brain",
        "slice thickness",
        "intensity of no signal",
        "distance from training scans",
    }


def test_a_check_is_one_line():
    passed = Check("brain volume", "ok", "1300 ml", "900 to 2000", "is the voxel size right?")
    failed = Check("brain volume", "fail", "13 ml", "900 to 2000", "is the voxel size right?")
    assert str(passed) == "ok    brain volume: 1300 ml, expected 900 to 2000"
    assert str(failed) == "fail  brain volume: 13 ml, expected 900 to 2000; is the voxel size right?"
