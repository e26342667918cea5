import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from hail_mri.evaluation.local_curves import explained_by_local_curves

SHAPE = (24, 20, 22)
EVERYWHERE = np.ones(SHAPE, bool)
STEPS = np.full(3, 2.0)


@pytest.fixture
def given():
    return np.random.default_rng(0).uniform(0, 100, SHAPE)


def explained(given, volume, inside=EVERYWHERE, spacing=STEPS):
    return explained_by_local_curves(given, volume, inside, spacing)


def test_a_volume_explains_itself(given):
    assert np.abs(explained(given, given) - given.ravel()).mean() < 0.1


def test_a_falling_curve_explains_nothing(given):
    assert np.std(explained(given, 100 - given)) < 0.2 * np.std(given)


def test_in_one_small_place_it_is_the_isotonic_regression_of_scikit_learn():
    rng = np.random.default_rng(1)
    given = rng.uniform(0, 100, (8, 8, 8))
    volume = np.square(given) / 100 + rng.normal(0, 5, given.shape)
    found = explained(given, volume, np.ones(given.shape, bool), np.full(3, 0.1))
    theirs = IsotonicRegression().fit(given.ravel(), volume.ravel()).predict(given.ravel())
    # Theirs has a step where ours is a line between means of a few voxels.
    assert np.sqrt(np.mean((found - theirs) ** 2)) < 1.5


def test_curves_may_differ_from_place_to_place(given):
    gain = np.linspace(0.8, 1.25, SHAPE[0])[:, None, None]
    wanted = gain * given
    one_curve = IsotonicRegression().fit(given.ravel(), wanted.ravel()).predict(given.ravel())
    rest, rest_of_one = explained(given, wanted) - wanted.ravel(), one_curve - wanted.ravel()
    assert np.std(rest) < 0.5 * np.std(rest_of_one)


def test_outside_the_mask_nothing_counts(given):
    inside = np.zeros(SHAPE, bool)
    inside[4:20, 4:16, 4:18] = True
    spoiled = np.where(inside, given, -1e6)
    assert np.array_equal(explained(given, given, inside), explained(given, spoiled, inside))
    assert explained(given, given, inside).shape == (inside.sum(),)


def test_a_constant_volume_explains_the_mean(given):
    assert explained(np.ones(SHAPE), given) == pytest.approx(np.full(given.size, given.mean()))
