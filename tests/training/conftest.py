"""Label maps of heads made of ellipsoids, and heads placed from them: training needs no data that is not made here."""

import nibabel as nib
import numpy as np
import pytest

from hail_mri.training.data.heads import fill_store, head_path

# FreeSurfer labels from the skin inwards: soft tissue, bone, fluid, cortex, white matter.
LABELS = (0, 507, 515, 24, 3, 2)


def write_label_map(path, semi_axes):
    """Write a head of 4 mm voxels; semi-axes of the skin in mm."""
    shape = (44, 52, 54)
    x, y, z = (np.indices(shape) - (np.array(shape) - 1).reshape(3, 1, 1, 1) / 2) * 4.0
    radius = np.sqrt(sum((axis / size) ** 2 for axis, size in zip((x, y, z), semi_axes, strict=True)))
    layers = np.digitize(-radius, (-1.0, -0.92, -0.84, -0.79, -0.6))
    layers[(x - 10) ** 2 + (y / 2) ** 2 + z**2 < 15**2] = 3
    nib.save(nib.Nifti1Image(np.array(LABELS, np.int16)[layers], np.diag([4.0, 4.0, 4.0, 1.0])), path)


def write_label_maps(folder, n):
    """Write heads of unlike shapes; return their folder."""
    for index in range(n):
        write_label_map(folder / f"head_{index}.nii.gz", (70 + 3 * index, 95 - 2 * index, 92 + index))
    return folder


@pytest.fixture(scope="session")
def label_maps_dir(tmp_path_factory):
    """Folder of five label maps: one to learn from, two that choose the weights, two for a report."""
    return write_label_maps(tmp_path_factory.mktemp("label_maps"), 5)


@pytest.fixture(scope="session")
def many_label_maps_dir(tmp_path_factory):
    """Folder of seven label maps: three to learn from."""
    return write_label_maps(tmp_path_factory.mktemp("seven_label_maps"), 7)


@pytest.fixture(scope="session")
def head_paths(label_maps_dir, tmp_path_factory):
    """Four phantoms at 8 mm."""
    store_dir = tmp_path_factory.mktemp("heads")
    paths = sorted(label_maps_dir.iterdir())
    list(fill_store(store_dir, paths, n_heads=4, shape=(24, 32, 32), spacing=8.0, seed=3))
    return [head_path(store_dir, index) for index in range(4)]
