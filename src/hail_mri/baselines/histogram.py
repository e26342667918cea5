"""Histogram matching: what a harmonization must be better than.

Both map each intensity of the source to one intensity in the target's unit, whatever tissue it is in. They are called
like `harmonize`: two volumes in, the source's volume in the target's unit out.
"""

import numpy as np
from numpy.typing import NDArray

from hail_mri.baselines.heads import mask_or_head
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume

# As in the ITK Software Guide's example for MRI of heads.
SIMPLEITK_LEVELS = 1024  # bins of both histograms
SIMPLEITK_POINTS = 7  # quantiles that are matched; straight lines between


def match_histogram_exact(
    source: Volume,
    target: Volume,
    *,
    source_mask: NDArray[np.bool_] | None = None,
    target_mask: NDArray[np.bool_] | None = None,
) -> Volume:
    """Give the source's head the histogram of the target's head.

    Parameters
    ----------
    source, target : Volume
        Any grids, any units.
    source_mask, target_mask : bool array of the volume's shape, optional
        The heads; found by `head_mask` where not given.

    Returns
    -------
    Volume
        The source on its own grid, in the target's unit. Outside the head the intensities are scaled by one factor, the
        ratio of the heads' robust ranges, so that 0 stays 0.

    Raises
    ------
    InputError
        If a mask is empty or of another shape, or a head is constant.

    Notes
    -----
    Each intensity goes to the target's quantile of its own rank, linear between the target's voxels. Equal intensities
    stay equal: they get the quantile of their middle rank, and are not told apart by their neighbours as in the exact
    histogram specification of Coltuc et al. 2006; so the histogram is exact where the source has no ties.
    """
    source_mask, target_mask = mask_or_head(source, source_mask), mask_or_head(target, target_mask)
    source_scale = LinearScale.from_percentiles(source.data, source_mask)
    target_scale = LinearScale.from_percentiles(target.data, target_mask)
    factor = (target_scale.high - target_scale.low) / (source_scale.high - source_scale.low)
    matched = source.data * np.float32(factor)
    matched[source_mask] = _quantiles_of_same_rank(source.data[source_mask], target.data[target_mask])
    return source.with_data(matched)


def match_histogram_simpleitk(source: Volume, target: Volume) -> Volume:
    """Match seven quantiles with SimpleITK's `HistogramMatchingImageFilter`.

    Parameters
    ----------
    source, target : Volume
        Any grids, any units.

    Returns
    -------
    Volume
        The source on its own grid, in the target's unit.

    Notes
    -----
    1024 histogram levels, 7 match points, and intensities below each scan's mean left out of the histograms (threshold
    at mean intensity): this is ITK's own way to leave out the air, and no head mask is used.

    References
    ----------
    Nyúl, Udupa, Zhang: New variants of a method of MRI scale standardization. IEEE TMI 2000.
    """
    from SimpleITK import GetArrayFromImage, GetImageFromArray, HistogramMatchingImageFilter

    matching = HistogramMatchingImageFilter()
    matching.SetNumberOfHistogramLevels(SIMPLEITK_LEVELS)
    matching.SetNumberOfMatchPoints(SIMPLEITK_POINTS)
    matching.ThresholdAtMeanIntensityOn()
    # A histogram knows no geometry: the arrays go without their affines.
    matched = matching.Execute(*(GetImageFromArray(volume.data) for volume in (source, target)))
    return source.with_data(GetArrayFromImage(matched))


def _quantiles_of_same_rank(values: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Replace each value by the quantile of the others that has its rank; ties have their middle rank."""
    places, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
    quantiles = (np.cumsum(counts) - counts / 2) / values.size
    sorted_others = np.sort(others)
    other_quantiles = (np.arange(others.size) + 0.5) / others.size
    curve = np.interp(quantiles, other_quantiles, sorted_others)
    return np.asarray(curve[places])
