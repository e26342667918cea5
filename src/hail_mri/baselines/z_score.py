"""Z-score normalization: the straight line that gives the source the target's mean and standard deviation.

References
----------
Reinhold, Dewey, Carass, Prince: Evaluating the impact of intensity normalization on MR image synthesis. SPIE Medical
Imaging 2019, doi:10.1117/12.2513089.
"""

import numpy as np
from numpy.typing import NDArray

from hail_mri.baselines.heads import mask_or_head
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume


def match_z_score(
    source: Volume,
    target: Volume,
    *,
    source_mask: NDArray[np.bool_] | None = None,
    target_mask: NDArray[np.bool_] | None = None,
) -> Volume:
    """Give the source's head the mean and standard deviation of the target's head.

    Parameters
    ----------
    source, target : Volume
        Any grids, any units.
    source_mask, target_mask : bool array of the volume's shape, optional
        Where both are taken: heads or brains; the heads found by `head_mask` where not given.

    Returns
    -------
    Volume
        The source on its own grid, in the target's unit.

    Raises
    ------
    InputError
        If a mask is empty or of another shape, or a scan is constant in its mask.

    Notes
    -----
    One line for all voxels, as published: air does not stay at 0.

    Examples
    --------
    >>> source, target = (Volume(np.reshape(values, (1, 1, 2)), np.eye(4)) for values in ([1, 3], [100, 300]))
    >>> everywhere = np.ones((1, 1, 2), bool)
    >>> match_z_score(source, target, source_mask=everywhere, target_mask=everywhere).data.ravel().tolist()
    [100.0, 300.0]
    """
    scales = [_z_scale(scan, mask) for scan, mask in ((source, source_mask), (target, target_mask))]
    return source.with_data(scales[1].invert(scales[0].apply(source.data)))


def _z_scale(scan: Volume, mask: NDArray[np.bool_] | None) -> LinearScale:
    """Take the mean to 0 and one standard deviation above it to 1."""
    values = scan.data[mask_or_head(scan, mask)].astype(np.float64)
    mean = float(values.mean())
    return LinearScale(mean, mean + float(values.std()))
