"""Heads for the tests: the embedded one, and a ball of a few tissues on which everything can be counted."""

import numpy as np
import pytest

from hail_mri.simulation.label_maps import label_map_from_labels
from hail_mri.simulation.phantoms import centred_affine, no_transform, place
from hail_mri.simulation.subjects import new_subject


@pytest.fixture(scope="session")
def ball_labels():
    """White matter in cortex in fluid in bone in scalp, radii in voxels of 4 mm; (40, 44, 48)."""
    i, j, k = np.indices((40, 44, 48))
    radius = np.sqrt((i - 20) ** 2 + (j - 22) ** 2 + (k - 24) ** 2)
    return np.select([radius < 10, radius < 13, radius < 15, radius < 17, radius < 19], [2, 3, 24, 515, 507], 0)


@pytest.fixture(scope="session")
def ball(ball_labels):
    return label_map_from_labels(ball_labels, (4.0, 4.0, 4.0), name="ball")


@pytest.fixture(scope="session")
def placed(ball):
    """The undeformed ball in the middle of a coarse grid."""
    shape = (48, 48, 56)
    subject = new_subject(ball, 1, deformation=0.0)
    return place(subject, shape, centred_affine(shape, 4.0), transform=no_transform(), n_subsamples=1)
