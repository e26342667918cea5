"""Simulated heads whose pose and bias field are known, and a cache of their own for every test."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hail_mri.image.grid import Grid
from hail_mri.preprocess.reference import scan_reference
from hail_mri.preprocess.reslicing import reslice
from hail_mri.preprocess.rigid import rigid_matrix


@pytest.fixture(scope="session")
def brain_mask(visit, simulated_scan):
    """Return the brain mask of the simulated scan."""
    return simulated_scan.with_data(visit.head.brain.numpy())


@pytest.fixture(scope="session")
def reference(simulated_scan, brain_mask):
    """Return the simulated scan as reference, with a prepared grid of 2 mm."""
    return scan_reference(simulated_scan, brain_mask, name="simulated", spacing=2.0, size=128)


@pytest.fixture(scope="session")
def move():
    """Return a function that lays a head otherwise into the scanner: turned by a vector (degrees), then shifted (mm).

    The field of view is large enough for it, and stays where it is.
    """

    def moved(volume, turn=(0, 0, 0), shift=(0, 0, 0), size=160, spacing=2.0):
        middle = volume.grid.corners().mean(axis=0)
        rotation = Rotation.from_rotvec(turn, degrees=True).as_matrix()
        matrix = rigid_matrix(rotation, middle - rotation @ middle + np.asarray(shift, float))
        affine = np.diag([spacing, spacing, spacing, 1.0])
        affine[:3, 3] = middle - spacing * (size - 1) / 2
        return reslice(volume, Grid((size, size, size), affine), np.linalg.inv(matrix)), matrix

    return moved
