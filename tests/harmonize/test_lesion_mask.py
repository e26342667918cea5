"""What a lesion mask is for: a lesion has no say in what is measured, and changes as its surroundings do."""

import numpy as np
import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.harmonize.harmonizer import Harmonizer
from hail_mri.harmonize.preparation import prepare_scan
from hail_mri.harmonize.transfer import transfer
from hail_mri.image.volume import Volume
from hail_mri.preprocess.prepare import prepare
from hail_mri.preprocess.reference import mni_reference
from hail_mri.preprocess.settings import PRESETS


@pytest.fixture(scope="module")
def lesion(simulated_slab):
    """A ball of 22 mm in the white matter of one side."""
    i, j, k = np.indices(simulated_slab.shape)
    centre = np.array(simulated_slab.shape) / 2 + [11, 4, 3]
    distance = 2.0 * np.sqrt((i - centre[0]) ** 2 + (j - centre[1]) ** 2 + (k - centre[2]) ** 2)
    return simulated_slab.with_data(distance < 22)


def brightened(scan, lesion, factor):
    return scan.with_data(np.where(lesion.data > 0, factor * scan.data, scan.data))


def test_how_bright_a_lesion_is_does_not_change_scale_and_class_means(simulated_slab, lesion):
    harmonizer = Harmonizer(simulated_slab)
    changes = {}
    for mask in (None, lesion):
        plain, twice = (
            harmonizer.read(brightened(simulated_slab, lesion, factor), lesion_mask=mask).reading for factor in (1, 2)
        )
        known = np.array(plain.style.errors) < 0.1
        scales = [reading.prepared.scale.high for reading in (plain, twice)]
        changes[mask is None] = (
            np.abs(np.subtract(plain.style.means, twice.style.means))[known].max(),
            abs(scales[1] / scales[0] - 1),
        )
    (means_without, scale_without), (means_with, scale_with) = changes[True], changes[False]
    assert means_with < 0.01 < 0.1 < means_without
    assert scale_with < 0.002 < 0.005 < scale_without


def test_a_lesion_of_the_target_has_no_say_in_its_style(simulated_slab, lesion):
    spoilt = brightened(simulated_slab, lesion, 2)
    clean, masked, plain = (
        Harmonizer(target, target_lesion_mask=mask).style
        for target, mask in ((simulated_slab, lesion), (spoilt, lesion), (spoilt, None))
    )
    assert abs(masked.high / clean.high - 1) < 0.002 < 0.004 < abs(plain.high / clean.high - 1)


def test_the_scan_itself_as_target_changes_nothing_with_a_lesion_mask(simulated_slab, lesion):
    spoilt = brightened(simulated_slab, lesion, 2)
    result = Harmonizer(spoilt, target_lesion_mask=lesion).run(spoilt, lesion_mask=lesion).volume
    assert np.abs(result.data - spoilt.data).max() < 1e-5 * np.ptp(spoilt.data)


def test_a_change_is_carried_through_a_lesion_smoothly():
    n = 24
    lesion = torch.zeros(n, n, n)
    lesion[8:14, 8:14, 8:14] = 1
    source = torch.full((n, n, n), 0.5)
    # What is the same everywhere around, and no curve explains since r does not vary: the correction.
    p, r = source + 0.1, source.clone()
    p[lesion > 0] = 5.0  # what a model makes of a lesion means nothing
    same = (np.eye(n, dtype=np.float32),) * 3
    air = torch.zeros(n, n, n)
    change = transfer(source, p, r, 1 - lesion, air, lesion=lesion, to_network=same, to_native=same)
    inside = change[lesion > 0]
    torch.testing.assert_close(inside, torch.full_like(inside, 0.1), atol=0.01, rtol=0)


def test_what_is_left_out_counts_for_nothing_and_is_seen_nevertheless(make_head):
    head = make_head()
    centre = np.array(head.shape) / 2
    inside = ((np.indices(head.shape) - centre[:, None, None, None]) ** 2).sum(axis=0) < 5**2
    plain = prepare(head, spacing=8.0, stride=4)
    prepared = prepare(head, spacing=8.0, stride=4, lesion=head.with_data(inside))
    np.testing.assert_array_equal(prepared.weight, plain.weight)
    np.testing.assert_allclose(prepared.data, plain.data, rtol=0.02, atol=0.01)
    assert prepared.measured[prepared.lesion > 0.99].max() < 0.011
    np.testing.assert_array_equal(prepared.measured[prepared.lesion == 0], plain.weight[prepared.lesion == 0])


def test_the_bias_field_does_not_see_a_lesion_that_is_left_out(simulated_slab, lesion):
    fields = [
        prepare_scan(scan, spacing=2.0, stride=4, lesion=mask, settings=PRESETS["robust"])
        for scan, mask in (
            (simulated_slab, lesion),
            (brightened(simulated_slab, lesion, 2), lesion),
            (brightened(simulated_slab, lesion, 2), None),
        )
    ]
    plain, masked, seen = (found.bias.log for found in fields)
    # Not the largest difference: at the rim of the slab, where hardly anything is fitted, the spline holds to little.
    of_masked, of_seen = (np.quantile(np.abs(field - plain), 0.99) for field in (masked, seen))
    assert of_masked < 0.01 < 0.02 < of_seen
    told = [found.describe()["BiasField"].get("LeftOut") for found in fields]
    assert told == ["lesion", "lesion", None]


class TestMasksThatCannotBe:
    @pytest.fixture
    def head(self, make_head):
        return make_head()

    def test_one_on_another_grid(self, small_model, head):
        mask = Volume(head.data > 600, head.affine @ np.diag([1, 1, 2, 1]))
        with pytest.raises(InputError, match="the lesion mask is on another grid"):
            Harmonizer(head, model=small_model).read(head, lesion_mask=mask)

    def test_one_on_another_grid_before_a_scan_is_registered(self, head):
        mask = Volume(head.data > 600, head.affine @ np.diag([1, 1, 2, 1]))
        choices = {"settings": PRESETS["robust"], "reference": mni_reference()}
        with pytest.raises(InputError, match="the lesion mask is on another grid"):
            prepare_scan(head, spacing=8.0, stride=4, lesion=mask, **choices)

    def test_an_empty_one(self, small_model, head):
        with pytest.raises(InputError, match=r"empty mask.*inside the lesion"):
            Harmonizer(head, model=small_model).read(head, lesion_mask=head.with_data(0 * head.data))

    def test_one_of_the_whole_head(self, small_model, head):
        with pytest.raises(InputError, match=r"covers \d+ % of what is measured, expected at most 50 %"):
            Harmonizer(head, model=small_model).read(head, lesion_mask=head.with_data(head.data > 100))

    def test_one_of_most_of_the_brain(self, simulated_slab, visit, slab):
        brain = visit.head.brain.numpy()[slab]
        most = np.cumsum(brain, axis=0) < 0.75 * brain.sum(axis=0, keepdims=True)
        brain = simulated_slab.with_data(brain & most)
        with pytest.raises(InputError, match=r"covers \d+ % of the brain, expected at most 50 %"):
            Harmonizer(simulated_slab).read(simulated_slab, lesion_mask=brain)

    def test_one_for_a_style_card(self, small_model, head):
        card = Harmonizer(head, model=small_model).style
        with pytest.raises(InputError, match="style card"):
            Harmonizer(card, model=small_model, target_lesion_mask=head)
