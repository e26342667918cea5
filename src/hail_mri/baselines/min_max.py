"""Min-max scaling: the straight line that gives the source the target's darkest and brightest voxel.

References
----------
HAIL, the paper: section 3.1 (all scans are scaled to [0, 1] in this way).
"""

from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume


def match_min_max(source: Volume, target: Volume) -> Volume:
    """Scale the source to the range of the target.

    Parameters
    ----------
    source, target : Volume
        Any grids, any units.

    Returns
    -------
    Volume
        The source on its own grid, in the target's unit.

    Raises
    ------
    InputError
        If a scan is constant.

    Notes
    -----
    The whole scans are looked at, as in the paper: one bright vessel or spike sets the scale of all else.

    Examples
    --------
    >>> import numpy as np
    >>> source, target = (Volume(np.reshape(values, (1, 1, 3)), np.eye(4)) for values in ([0, 5, 10], [100, 110, 300]))
    >>> match_min_max(source, target).data.ravel().tolist()
    [100.0, 200.0, 300.0]
    """
    scales = [LinearScale(float(scan.data.min()), float(scan.data.max())) for scan in (source, target)]
    return source.with_data(scales[1].invert(scales[0].apply(source.data)))
