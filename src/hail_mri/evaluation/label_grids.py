"""Label maps that a program made on a grid of its own, brought to the grid of their scan."""

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.structures import label_map
from hail_mri.image.grid import Grid
from hail_mri.image.volume import Volume

LEAST_KEPT = 0.9  # of the labelled volume: less says that scan and labels do not lie in one place


def labels_on_grid(labels: Volume, grid: Grid, name: str) -> NDArray[np.integer]:
    """Take for each voxel the label that lies at its middle, by the coordinates of the headers.

    Parameters
    ----------
    labels : Volume
        Whole numbers, any grid.
    grid : Grid
        Of the scan.
    name : str
        Of the label map, for messages.

    Returns
    -------
    labels : (I, J, K) array of int
        On the grid; 0 where the label map does not reach.

    Raises
    ------
    InputError
        If labels are no whole numbers, there are none, or a tenth of their volume lies outside of the scan.

    Notes
    -----
    Nothing is registered: both headers must be in the coordinates of one scanner, as FreeSurfer keeps them.
    """
    from scipy.ndimage import affine_transform

    held = label_map(labels.data, name)
    n_labelled = int(np.count_nonzero(held))
    if not n_labelled:
        raise InputError(f"{name} has no label but 0", "check that the program that made it was content")
    to_labels = np.linalg.inv(labels.affine) @ grid.affine
    found = affine_transform(held, to_labels[:3, :3], to_labels[:3, 3], output_shape=grid.shape, order=0)
    kept = np.count_nonzero(found) * _voxel_ml(grid.affine) / (n_labelled * _voxel_ml(labels.affine))
    if kept < LEAST_KEPT:
        raise InputError(
            f"{100 * kept:.0f} % of the volume that {name} labels lies in the scan, expected nearly all",
            "check that it was made of this scan, and that neither was moved",
        )
    return np.asarray(found)


def _voxel_ml(affine: NDArray[np.float64]) -> float:
    """Return the volume of a voxel, ml."""
    return abs(float(np.linalg.det(affine[:3, :3]))) / 1000
