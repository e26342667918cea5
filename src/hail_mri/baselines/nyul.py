"""Nyúl's landmarks: deciles of the source go to those of a standard scale, straight lines between.

Terms
-----
landmarks
    Eleven percentiles of a head: 1, 10, 20, ..., 90, 99.
standard scale
    Where landmarks should be: the mean of the landmarks of the site's scans, each brought to the target's first and
    last landmark by a straight line, so that the scale is in the target's unit.

References
----------
Nyúl, Udupa, Zhang: New variants of a method of MRI scale standardization. IEEE TMI 2000, doi:10.1109/42.836373.
Shah et al.: Evaluating intensity normalization on MRIs of human brain with multiple sclerosis. Medical Image Analysis
2011, doi:10.1016/j.media.2010.12.003 (these landmarks).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hail_mri.baselines.heads import mask_or_head
from hail_mri.errors import InputError
from hail_mri.image.volume import Volume

PERCENTILES = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99)


def match_nyul_landmarks(
    source: Volume,
    target: Volume,
    *,
    trained_with: Sequence[Volume] = (),
    source_mask: NDArray[np.bool_] | None = None,
    target_mask: NDArray[np.bool_] | None = None,
) -> Volume:
    """Bring the source's landmarks to the standard scale of the target's site.

    Parameters
    ----------
    source, target : Volume
        Any grids, any units.
    trained_with : sequence of Volume
        Further scans to learn the standard scale from; without any it is that of the target alone. Other scans of the
        target's site make it a scale of the site; the source itself makes it one of the pair. Their heads are found.
    source_mask, target_mask : bool array of the volume's shape, optional
        The heads; found by `head_mask` where not given.

    Returns
    -------
    Volume
        The source on its own grid, in the target's unit.

    Raises
    ------
    InputError
        If a mask is empty or of another shape, no head is found, or a head has one value from its first to its last
        landmark.

    Notes
    -----
    Beyond the outer landmarks the outer lines go on, for air, too, as published: it need not stay at 0.
    """
    from_landmarks = _landmarks(source, source_mask)
    of_target = _landmarks(target, target_mask)
    of_site = [of_target, *(_landmarks(scan, None) for scan in trained_with)]
    standard = np.mean([_on_span(landmarks, of_target[0], of_target[-1]) for landmarks in of_site], axis=0)
    return source.with_data(_piecewise(source.data, from_landmarks, standard))


def _landmarks(scan: Volume, mask: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """Take the percentiles of the head."""
    found = np.percentile(scan.data[mask_or_head(scan, mask)].astype(np.float64), PERCENTILES)
    if found[0] == found[-1]:
        raise InputError(f"the head is constant ({found[0]:g})", hint="check that scan and mask belong together")
    return np.asarray(found)


def _on_span(landmarks: NDArray[np.float64], first: float, last: float) -> NDArray[np.float64]:
    """Bring the outer landmarks to two intensities by a straight line."""
    return np.asarray(first + (landmarks - landmarks[0]) * ((last - first) / (landmarks[-1] - landmarks[0])))


def _piecewise(
    values: NDArray[np.float32], from_landmarks: NDArray[np.float64], to_landmarks: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Map by straight lines between landmarks, which go on beyond the outer ones; equal landmarks get their mean."""
    x, places = np.unique(from_landmarks, return_inverse=True)
    y = np.bincount(places, weights=to_landmarks) / np.bincount(places)
    lines = np.clip(np.searchsorted(x, values, side="right") - 1, 0, x.size - 2)
    slopes = np.diff(y) / np.diff(x)
    return (y[lines] + (values - x[lines]) * slopes[lines]).astype(np.float32)
