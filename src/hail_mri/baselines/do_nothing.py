"""Do nothing, but for the unit: what every method must be better than."""

from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.preprocess.prepare import WHITE_MATTER, prepare

COARSE_MM, COARSE_STRIDE = 4.0, 8  # grid on which scales are read; any will do


def rescale(source: Volume, target: Volume) -> Volume:
    """Bring the source to the target's unit by the straight line that harmonization starts from.

    Parameters
    ----------
    source, target : Volume
        T1-weighted scans of heads or brains; any grids, any units.

    Returns
    -------
    Volume
        The source on its own grid, in the target's unit: the zero points of both meet, and the intensities of their
        white matter.

    Raises
    ------
    InputError
        If no head is found.
    """
    return source.with_data(robust_scale(target).invert(robust_scale(source).apply(source.data)))


def robust_scale(scan: Volume) -> LinearScale:
    """Find the scale that harmonization gives a scan.

    Parameters
    ----------
    scan : Volume

    Returns
    -------
    LinearScale
        Zero point of the scan to 0, white matter to 0.6.

    Raises
    ------
    InputError
        If no head is found.
    """
    return prepare(scan, spacing=COARSE_MM, stride=COARSE_STRIDE).scale


def white_matter_intensity(scan: Volume) -> float:
    """Estimate the intensity of white matter, good to about 5 %.

    Parameters
    ----------
    scan : Volume

    Returns
    -------
    float
        In the scan's unit.

    Raises
    ------
    InputError
        If no head is found.
    """
    scale = robust_scale(scan)
    return scale.low + WHITE_MATTER * (scale.high - scale.low)
