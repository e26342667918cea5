"""What every test may use: the folder of scans that is not part of the project, if there is one, and a small scan."""

import os
from pathlib import Path

import numpy as np
import pytest

from hail_mri.image.volume import Volume


def pytest_collection_modifyitems(items):
    if "HAIL_MRI_DATA" in os.environ:
        return
    skip = pytest.mark.skip(reason="set HAIL_MRI_DATA to a folder of scans")
    for item in items:
        if "data" in item.keywords:
            item.add_marker(skip)


@pytest.fixture
def data_dir():
    """Folder that HAIL_MRI_DATA names; use it together with the marker `data`."""
    return Path(os.environ["HAIL_MRI_DATA"])


@pytest.fixture
def scan():
    """Noise on a small anisotropic, oblique grid: no two voxels, axes or directions are alike."""
    affine = np.array([[-0.99, 0.05, 0.2, 60.0], [0.04, 1.19, -0.3, -50.0], [0.1, 0.25, 1.96, -20.0], [0, 0, 0, 1]])
    return Volume(np.random.default_rng(0).normal(300, 50, (12, 11, 9)), affine)
