"""WhiteStripe: the straight line that gives the source's white matter the target's mean and standard deviation.

Terms
-----
stripe
    The voxels whose intensity is near the white-matter peak of the histogram: within 0.05 of its quantile.

References
----------
Shinohara et al.: Statistical normalization techniques for magnetic resonance imaging. NeuroImage: Clinical 2014,
doi:10.1016/j.nicl.2014.08.008.
"""

import numpy as np
from numpy.typing import NDArray

from hail_mri.baselines.do_nothing import white_matter_intensity
from hail_mri.baselines.heads import mask_or_head
from hail_mri.errors import InputError
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume

HALF_WIDTH = 0.05  # of the stripe, in quantiles; tau in the reference
N_BINS = 1024  # of the histogram, between the two percentiles below
LOW_PERCENTILE, HIGH_PERCENTILE = 0.1, 99.9
SMOOTHING = 0.02  # of the range between them, standard deviation: peaks of noise are gone, those of tissues are not
LOWEST_PEAK = 0.2  # of the highest; what is lower is no tissue of its own


def match_white_stripe(
    source: Volume,
    target: Volume,
    *,
    source_mask: NDArray[np.bool_] | None = None,
    target_mask: NDArray[np.bool_] | None = None,
) -> Volume:
    """Give the source's stripe the mean and standard deviation of the target's stripe.

    Parameters
    ----------
    source, target : Volume
        T1-weighted; any grids, any units.
    source_mask, target_mask : bool array of the volume's shape, optional
        Brains. Where not given, the stripe is sought in the head.

    Returns
    -------
    Volume
        The source on its own grid, in the target's unit.

    Raises
    ------
    InputError
        If a mask is empty or of another shape, no head is found, or a scan is constant in its mask.

    Notes
    -----
    In a brain, white matter is the brightest peak of the smoothed histogram, as published. In a head, where fat is
    brighter, it is the peak nearest to the intensity in the middle of the brain.

    One line for all voxels, as published: air does not stay at 0.
    """
    scales = []
    for scan, mask in ((source, source_mask), (target, target_mask)):
        values = scan.data[mask_or_head(scan, mask)].astype(np.float64)
        peaks = _peaks(values)
        peak = float(peaks[-1]) if mask is not None else _nearest(peaks, white_matter_intensity(scan))
        scales.append(_stripe_scale(values, peak))
    return source.with_data(scales[1].invert(scales[0].apply(source.data)))


def _peaks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the intensities of the peaks of the smoothed histogram, from dark to bright."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    low, high = np.percentile(values, (LOW_PERCENTILE, HIGH_PERCENTILE))
    if low == high:
        raise InputError(f"the scan is constant in its mask ({low:g})", hint="check that scan and mask belong together")
    counts, edges = np.histogram(values, N_BINS, range=(low, high))
    smooth = gaussian_filter1d(counts.astype(np.float64), SMOOTHING * N_BINS, mode="constant")
    padded = np.pad(smooth, 1)  # a peak may be at the end
    found = find_peaks(padded, height=LOWEST_PEAK * smooth.max())[0] - 1
    return (edges[found] + edges[found + 1]) / 2


def _nearest(peaks: NDArray[np.float64], intensity: float) -> float:
    """Choose the peak next to an intensity."""
    return float(peaks[np.argmin(np.abs(peaks - intensity))])


def _stripe_scale(values: NDArray[np.float64], peak: float) -> LinearScale:
    """Take the stripe's mean to 0 and one standard deviation above it to 1."""
    quantile = float(np.mean(values < peak))
    ends = np.quantile(values, np.clip((quantile - HALF_WIDTH, quantile + HALF_WIDTH), 0, 1))
    stripe = values[(values >= ends[0]) & (values <= ends[1])]
    return LinearScale(float(stripe.mean()), float(stripe.mean() + stripe.std()))
