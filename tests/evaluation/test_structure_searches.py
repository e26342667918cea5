"""The searches on closed forms: what was put in or taken out is known."""

import numpy as np
import pytest
from scipy import ndimage

from hail_mri.errors import InputError
from hail_mri.evaluation.structure_searches import appeared_structures, lost_structures

SHAPE, SPACING = (44, 48, 40), (2.0, 2.0, 2.0)
NOISE = 12.0
PLACES = np.moveaxis(np.indices(SHAPE), 0, -1) * SPACING


def ball(centre, radius):
    """Share of each voxel that a ball fills."""
    distance = np.linalg.norm(PLACES - centre, axis=-1)
    return np.clip((radius - distance) / 2 + 0.5, 0, 1)


def noise(seed):
    return np.random.default_rng(seed).normal(0, NOISE, SHAPE)


@pytest.fixture(scope="module")
def brain():
    return ball((44, 48, 40), 36) > 0.5


@pytest.fixture(scope="module")
def anatomy():
    """Folded tissues of three intensities, without noise."""
    field = ndimage.gaussian_filter(np.random.default_rng(7).normal(size=SHAPE), 2.0)
    tissue = np.digitize(field / field.std(), (-0.8, 0.5))
    return ndimage.gaussian_filter(np.array([250.0, 600.0, 850.0])[tissue], 0.5)


@pytest.fixture(scope="module")
def flat():
    return np.full(SHAPE, 850.0)


def search(which, source, result, brain):
    return which(source, result, mask=brain, spacing=SPACING)


def gain():
    return np.linspace(0.8, 1.25, SHAPE[0])[:, None, None]


MONOTONE = {
    "line": lambda x: 3 * x + 100,
    "root": np.sqrt,
    "square": np.square,
    "less contrast": lambda x: 500 + 0.1 * x,
    "smooth gain": lambda x: gain() * x,
    "root and smooth gain": lambda x: gain() * np.sqrt(x),
    "another curve on either side": lambda x: gain() * (x / 850) ** np.linspace(0.8, 1.25, SHAPE[1])[None, :, None],
}


@pytest.mark.parametrize("which", [lost_structures, appeared_structures])
@pytest.mark.parametrize("change", MONOTONE.values(), ids=MONOTONE)
def test_a_rising_curve_with_smooth_gain_loses_nothing_and_lets_nothing_appear(anatomy, brain, which, change):
    source = np.maximum(anatomy + noise(0), 1)
    assert search(which, source, change(source), brain).n_structures == 0


@pytest.mark.parametrize("which", [lost_structures, appeared_structures])
@pytest.mark.parametrize("seed", range(3))
def test_scanning_again_gives_no_false_alarm(anatomy, brain, which, seed):
    source, rescan = anatomy + noise(2 * seed), anatomy + noise(2 * seed + 1)
    assert search(which, source, rescan, brain).n_structures == 0


@pytest.mark.parametrize("radius", [3.0, 5.0, 9.0])
@pytest.mark.parametrize("contrast", [-250.0, 250.0])
def test_a_blob_put_into_the_result_is_found_at_its_place_with_its_volume(flat, brain, radius, contrast):
    centre = (41.0, 52.0, 38.0)
    blob = ball(centre, radius)
    source, result = flat + noise(0), 1.5 * (flat + contrast * blob + noise(1))
    found = search(appeared_structures, source, result, brain)
    assert found.n_structures == 1
    assert found.volume_ml == found.largest_ml == pytest.approx(blob.sum() * 0.008, rel=0.2, abs=0.04)
    middle = np.argwhere(found.contrast).mean(axis=0) * SPACING
    assert np.linalg.norm(middle - centre) < 1.0
    assert (np.sign(found.contrast[found.contrast != 0]) == np.sign(contrast)).all()
    assert search(lost_structures, source, result, brain).n_structures == 0


@pytest.mark.parametrize("radius", [3.0, 5.0, 9.0])
def test_a_lesion_that_was_erased_is_found_as_lost(flat, brain, radius):
    lesion = ball((41.0, 52.0, 38.0), radius)
    source, result = flat - 250 * lesion + noise(0), 0.5 * (flat + noise(1))
    found = search(lost_structures, source, result, brain)
    assert found.n_structures == 1
    assert found.volume_ml == pytest.approx(lesion.sum() * 0.008, rel=0.2, abs=0.04)
    assert found.contrast.min() < -100
    assert search(appeared_structures, source, result, brain).n_structures == 0


def test_a_lesion_among_tissues_is_found_as_lost_although_others_have_its_intensity(anatomy, brain):
    lesion = ball((44.0, 48.0, 40.0), 8)
    healthy = np.where(ball((44.0, 48.0, 40.0), 14) > 0, 850.0, anatomy)
    source, result = healthy - 250 * lesion + noise(0), healthy + noise(1)
    found = search(lost_structures, source, result, brain)
    where = found.contrast < 0
    assert where[lesion > 0.9].mean() > 0.9
    assert where[ball((44.0, 48.0, 40.0), 12) == 0].sum() == 0


def test_a_lesion_that_was_turned_over_was_lost_and_appeared(anatomy, brain):
    lesion = ball((44.0, 48.0, 40.0), 6)
    healthy = np.where(ball((44.0, 48.0, 40.0), 12) > 0, 600.0, anatomy)
    source, result = healthy - 200 * lesion + noise(0), healthy + 200 * lesion + noise(1)
    lost, appeared = (search(which, source, result, brain) for which in (lost_structures, appeared_structures))
    assert lost.contrast[lesion > 0.9].max() < 0 < appeared.contrast[lesion > 0.9].min()


def test_a_lesion_that_is_only_fainter_is_not_lost(anatomy, brain):
    lesion = ball((44.0, 48.0, 40.0), 6)
    healthy = np.where(ball((44.0, 48.0, 40.0), 12) > 0, 850.0, anatomy)
    source, result = healthy - 300 * lesion + noise(0), healthy - 200 * lesion + noise(1)
    assert search(lost_structures, source, result, brain).n_structures == 0


def test_what_is_smoothed_away_was_lost(anatomy, brain):
    source = anatomy + noise(0)
    assert search(lost_structures, source, ndimage.gaussian_filter(source, 2.0), brain).volume_ml > 1


def test_one_search_is_the_other_with_source_and_result_exchanged(flat, brain):
    other = flat + 250 * ball((41.0, 52.0, 38.0), 6) + noise(1)
    one = search(lost_structures, other, flat + noise(0), brain)
    two = search(appeared_structures, flat + noise(0), other, brain)
    assert np.array_equal(one.contrast, two.contrast)
    assert one.n_structures == 1


@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 1, 0)])
def test_the_order_of_the_axes_does_not_matter(flat, brain, axes):
    source, result = flat + noise(0), flat + 250 * ball((41.0, 52.0, 38.0), 6) + noise(1)
    found = search(appeared_structures, source, result, brain)
    turned = search(appeared_structures, *(np.transpose(a, axes) for a in (source, result, brain)))
    assert np.allclose(np.transpose(found.contrast, axes), turned.contrast, atol=1e-3)
    assert found.n_structures == turned.n_structures == 1


def test_units_do_not_matter(flat, brain):
    source, result = flat + noise(0), flat + 250 * ball((41.0, 52.0, 38.0), 6) + noise(1)
    found = search(appeared_structures, source, result, brain)
    other = search(appeared_structures, 0.001 * source - 3, 50 * result + 7, brain)
    assert np.array_equal(found.contrast > 0, other.contrast > 0)
    assert other.contrast.max() == pytest.approx(50 * found.contrast.max(), rel=1e-4)


def test_a_part_of_what_was_found_has_its_own_numbers(flat, brain):
    two = ball((30.0, 48.0, 40.0), 5) + ball((60.0, 48.0, 40.0), 4)
    found = search(appeared_structures, flat + noise(0), flat + 250 * two + noise(1), brain)
    left = found.within(PLACES[..., 0] < 44)
    assert (found.n_structures, left.n_structures) == (2, 1)
    assert left.largest_ml == left.volume_ml == found.largest_ml < found.volume_ml


def test_nothing_is_looked_at_outside_the_mask(flat, brain):
    result = flat + noise(1) + 500 * ball((6.0, 6.0, 6.0), 5)
    assert search(appeared_structures, flat + noise(0), result, brain).n_structures == 0


def test_inputs_are_not_changed(flat, brain):
    source, result = flat + noise(0), flat + noise(1)
    before = source.copy(), result.copy(), brain.copy()
    search(lost_structures, source, result, brain)
    assert all(np.array_equal(a, b) for a, b in zip(before, (source, result, brain), strict=True))


@pytest.mark.parametrize(("source", "result"), [(1.0, 1.0), (None, 1.0)], ids=["both", "the result"])
def test_constant_volumes_hold_no_structure_that_appears(flat, brain, source, result):
    one = flat if source else flat + 250 * ball((41.0, 52.0, 38.0), 6) + noise(0)
    assert search(appeared_structures, one, np.full(SHAPE, result), brain).n_structures == 0


def test_a_constant_result_has_lost_what_there_was(flat, brain):
    source = flat - 250 * ball((41.0, 52.0, 38.0), 6) + noise(0)
    assert search(lost_structures, source, np.ones(SHAPE), brain).n_structures == 1


def test_what_cannot_be_searched_is_refused(flat, brain):
    with pytest.raises(InputError, match="spacing"):
        lost_structures(flat, flat, mask=brain, spacing=(1, 0, 1))
    with pytest.raises(InputError, match="mask is empty"):
        lost_structures(flat, flat, mask=np.zeros(SHAPE, bool))
    with pytest.raises(InputError, match="three dimensions"):
        lost_structures(flat[0], flat[0])
