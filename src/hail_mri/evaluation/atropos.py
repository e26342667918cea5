"""Grey matter, white matter and fluid by ANTs' Atropos: who judges a result must not have made it.

The tissue maps of the released model made the result, so that they say nothing of it. Atropos sees nothing but the
intensities in a brain mask: a mixture of three Gaussians with a Markov random field.

References
----------
Avants et al., Neuroinformatics 9:381 (2011): Atropos.
"""

import importlib.metadata
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.volume import Volume

DISTRIBUTION = "antspyx"  # ANTs, as it is installed
LABELS = {"csf": 1, "grey_matter": 2, "white_matter": 3}  # in the order of their intensities in a T1-weighted scan
FIELD = "[0.1,1x1x1]"  # weight and radius of the Markov random field, voxels; ANTs' defaults
CONVERGENCE = "[10,0.0001]"  # iterations at most, and the smallest gain of the posterior
FEWEST_VOXELS = 1000


def segment_by_atropos(volume: Volume, brain_mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Find the three tissues of a brain by their intensities.

    Parameters
    ----------
    volume : Volume
        T1-weighted, any grid and unit.
    brain_mask : (I, J, K) bool array

    Returns
    -------
    labels : (I, J, K) ndarray of uint8
        See `LABELS`; 0 outside the mask.

    Raises
    ------
    InputError
        If ANTs is not installed, the mask has another shape or too few voxels, or the scan is constant in it.

    Notes
    -----
    No bias field is corrected: source and result have the same one, and what N4 makes of each would differ. The same
    scan has the same labels: Atropos begins its k-means with a fixed seed.
    """
    ants = _ants()
    if brain_mask.shape != volume.shape:
        raise InputError(f"the brain mask has the shape {brain_mask.shape}, the scan has {volume.shape}")
    inside = volume.data[brain_mask]
    if inside.size < FEWEST_VOXELS:
        raise InputError(f"the brain mask has {inside.size} voxels, expected {FEWEST_VOXELS} or more")
    if inside.min() == inside.max():
        raise InputError(f"the scan is constant in the brain mask ({inside[0]:g})")
    spacing = volume.spacing.tolist()
    image = ants.from_numpy(np.asarray(volume.data, np.float32), spacing=spacing)
    mask = ants.from_numpy(brain_mask.astype(np.float32), spacing=spacing)
    with _temporary_files_in_one_folder():
        found = ants.atropos(a=image, x=mask, i="kmeans[3]", m=FIELD, c=CONVERGENCE, r=0)
    return np.asarray(found["segmentation"].numpy(), np.uint8)


def atropos_version() -> str:
    """Return the version of ANTs; empty if it is not installed."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _ants() -> ModuleType:
    """Import ANTs, which only an evaluation needs."""
    try:
        import ants
    except ModuleNotFoundError as error:
        if error.name != "ants":
            raise
        raise InputError(
            "segmenting by Atropos needs ANTs, which is not installed", "pip install 'hail-mri[evaluate]'"
        ) from error
    return ants


@contextmanager
def _temporary_files_in_one_folder() -> Iterator[None]:
    """Let ANTs leave its files in a folder that is removed: it forgets those of the probabilities."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="hail-mri-") as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before
