"""What every test may use: the folder of scans that is not part of the project, if there is one, and small scans."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import settings
from scipy.spatial.transform import Rotation

from hail_mri.image.volume import Volume

# No test is timed: on a machine with other work the first example of a test may take a second.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Intensity of air, scalp, skull, fluid, grey and white matter.
SIGNAL = (0, 900, 120, 200, 500, 700)


def pytest_collection_modifyitems(items):
    if "HAIL_MRI_DATA" in os.environ:
        return
    skip = pytest.mark.skip(reason="set HAIL_MRI_DATA to a folder of scans")
    for item in items:
        if item.get_closest_marker("data"):  # a folder of tests may have the same name
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def no_estimates_are_kept():
    """Keep bias fields and registrations of tests out of the user's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAIL_MRI_CACHE", "")
        yield


@pytest.fixture
def data_dir():
    """Folder that HAIL_MRI_DATA names; use it together with the marker `data`."""
    return Path(os.environ["HAIL_MRI_DATA"])


@pytest.fixture
def scan():
    """Noise on a small anisotropic, oblique grid: no two voxels, axes or directions are alike."""
    affine = np.array([[-0.99, 0.05, 0.2, 60.0], [0.04, 1.19, -0.3, -50.0], [0.1, 0.25, 1.96, -20.0], [0, 0, 0, 1]])
    return Volume(np.random.default_rng(0).normal(300, 50, (12, 11, 9)), affine)


@pytest.fixture(scope="session")
def mni():
    """Return the label map of the built-in head."""
    from hail_mri.simulation.mni import mni_label_map

    return mni_label_map(2.0)


@pytest.fixture(scope="session")
def visit(mni):
    """Return a subject of the built-in head in the scanner of site B, 2 mm: a scan whose tissues are known."""
    from hail_mri.simulation.scanners import SITES
    from hail_mri.simulation.subjects import new_subject
    from hail_mri.simulation.travelling import visit_site

    return visit_site(new_subject(mni, 1), SITES["B"], spacing=2.0, seed=1)


@pytest.fixture(scope="session")
def simulated_scan(visit):
    """Return its scan."""
    from hail_mri.simulation.travelling import scan_visit

    return scan_visit(visit)


@pytest.fixture(scope="session")
def slab():
    """Return where a slab of 64 mm is, from the eyes to above the ventricles: much of the brain, soon read."""
    return np.s_[:, :, 48:80]


@pytest.fixture(scope="session")
def simulated_slab(simulated_scan, slab):
    """Return the scan of this slab."""
    affine = simulated_scan.affine.copy()
    affine[:3, 3] += affine[:3, 2] * slab[2].start
    return Volume(simulated_scan.data[slab].copy(), affine)


@pytest.fixture(scope="session")
def simulated_segmentation(simulated_scan):
    """Return the tissues that the released model finds in the scan, with their probabilities."""
    from hail_mri.segmentation.segment import segment

    return segment(simulated_scan, keep_probabilities=True)


@pytest.fixture(scope="session")
def make_head():
    """Return a function that samples a head (scalp, skull, fluid, grey and white matter) on any grid."""

    def make(
        *, shape=(36, 44, 46), spacing=5.0, axcodes="RAS", rotation=(0, 0, 0), centre=(0, 0, 0), signal=SIGNAL, noise=10
    ):
        ornt = nib.orientations.axcodes2ornt(axcodes)
        steps = np.zeros((3, 3))
        steps[ornt[:, 0].astype(int), (0, 1, 2)] = ornt[:, 1] * np.broadcast_to(spacing, 3)
        affine = np.eye(4)
        affine[:3, :3] = Rotation.from_euler("xyz", rotation, degrees=True).as_matrix() @ steps
        affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
        from_corner = affine[:3, 3] - centre
        x, y, z = np.einsum("ab,bijk->aijk", affine[:3, :3], np.indices(shape)) + from_corner[:, None, None, None]
        # Semi-axes in mm from the skin inwards; an off-centre ventricle makes left and right differ.
        radius = np.sqrt((x / 75) ** 2 + (y / 90) ** 2 + (z / 95) ** 2)
        layers = np.digitize(-radius, (-1.0, -0.92, -0.84, -0.79, -0.6))
        layers[(x - 10) ** 2 + (y / 2) ** 2 + z**2 < 15**2] = 3
        data = np.asarray(signal, np.float64)[layers] + np.random.default_rng(0).normal(0, noise, shape)
        return Volume(np.where(layers > 0, data, 0), affine)

    return make
