"""Heads of three shells for all baselines."""

import numpy as np
import pytest

from hail_mri.image.volume import Volume


@pytest.fixture(scope="session")
def make_shells():
    """Return a function that makes three shells of tissue in exact-zero air, with noise in the head."""

    def make(shape, seed, *, tissues=(300.0, 500.0, 700.0), noise=25.0):
        axes = (np.linspace(-1.2, 1.2, n) for n in shape)
        radius = np.linalg.norm(np.stack(np.meshgrid(*axes, indexing="ij")), axis=0)
        data = np.select([radius < 0.5, radius < 0.8, radius < 1], tissues, 0.0)
        data += np.random.default_rng(seed).normal(0, noise, shape) * (radius < 1)
        return Volume(data, np.diag([-3.0, 3.0, 3.5, 1.0]))

    return make


@pytest.fixture(scope="session")
def source(make_shells):
    return make_shells((50, 60, 55), 0)


@pytest.fixture(scope="session")
def target(make_shells):
    return make_shells((48, 44, 52), 1, tissues=(1500.0, 900.0, 2800.0), noise=60.0)
