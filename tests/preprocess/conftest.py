"""Simulated heads whose pose and bias field are known, and a cache of their own for every test."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hail_mri.image.volume import Volume
from hail_mri.preprocess.reference import scan_reference
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
    """Return a function that moves a scan without touching a voxel: turned by a vector (degrees), then shifted (mm)."""

    def moved(volume, turn=(0, 0, 0), shift=(0, 0, 0)):
        matrix = rigid_matrix(Rotation.from_rotvec(turn, degrees=True).as_matrix(), np.asarray(shift, float))
        return Volume(volume.data, matrix @ volume.affine), matrix

    return moved
