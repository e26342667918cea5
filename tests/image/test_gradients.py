import numpy as np
import pytest

from hail_mri.image.gradients import alignment, gradients_at

SPACING = np.array([0.5, 2.0, 3.0])


def test_gradients_are_those_of_numpy_at_every_voxel_and_at_the_border(scan):
    everywhere = np.nonzero(np.ones(scan.shape, bool))
    expected = np.stack([g.ravel() for g in np.gradient(scan.data.astype(np.float64), *SPACING)], axis=1)
    np.testing.assert_allclose(gradients_at(scan.data, everywhere, SPACING), expected, rtol=1e-6)


def test_only_the_voxels_asked_for_are_looked_at(scan):
    some = tuple(index[::7] for index in np.nonzero(scan.data > 300))
    expected = np.stack([g[some] for g in np.gradient(scan.data.astype(np.float64), *SPACING)], axis=1)
    np.testing.assert_allclose(gradients_at(scan.data, some, SPACING), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda g: 3 * g, 1.0, id="parallel"),
        pytest.param(lambda g: -g, 1.0, id="dark and bright exchanged"),
        pytest.param(lambda g: np.stack([-g[:, 1], g[:, 0], 0 * g[:, 0]], axis=1), 0.0, id="perpendicular"),
        pytest.param(np.zeros_like, 0.0, id="flat"),
    ],
)
def test_alignment_is_the_squared_cosine(change, expected):
    gradients = np.random.default_rng(0).normal(size=(50, 3)) * [1, 1, 0]
    assert alignment(gradients, change(gradients)) == pytest.approx(expected)


def test_alignment_with_nothing_is_undefined():
    assert alignment(np.zeros((4, 3)), np.ones((4, 3))) is None
