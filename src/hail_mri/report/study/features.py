"""Regional features of a scan before and after: volumes, intensities and contrasts of its tissues.

Intensities before and after are of the same voxels, those of each tissue of the source: no border between tissues can
move, and only intensities differ. *Deep* fluid lies farther below the surface of the brain than skull-stripping cuts:
a whole head has fluid at the surface, and a stripped scan little of it. Volumes are found anew in the result, which
shows whether a segmentation that is run on results would be another one.

References
----------
Salat et al.: Age-associated alterations in cortical gray and white matter signal intensity and gray to white matter
contrast. NeuroImage 2009, doi:10.1016/j.neuroimage.2009.06.074 (the contrast of grey and white matter in percent).
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from hail_mri.model.tissue_classes import BRAIN, CLASS_INDEX, GREY_MATTER, TISSUE_CLASSES, WHITE_MATTER

TISSUES = tuple(TISSUE_CLASSES[index] for index in BRAIN)
DEEP_FLUID = "deep_csf"
WIDE_TISSUES = (
    "white_matter",
    "grey_matter",
    "csf",
    DEEP_FLUID,
)  # whose distribution is wanted, not their middle alone
DEEP_TISSUES = tuple(name for name in TISSUES if name not in WIDE_TISSUES)
DEEP_MM = 15.0  # below the surface of the brain with its fluid; no stripping cuts so far, and the ventricles lie there
PERCENTILES = (10, 25, 75, 90)
FEWEST_VOXELS = 20  # of a tissue, or a tissue in a region; with fewer there is no number
SIDES, DEPTHS, HEIGHTS = ("left", "right"), ("back", "front"), ("lower", "upper")  # along R, A and S
REGIONS = tuple("_".join(names) for names in product(SIDES, DEPTHS, HEIGHTS))

Numbers = dict[str, float]


def intensity_names() -> Iterator[str]:
    """Yield the names of all intensities and contrasts of a scan, in the order of the tables."""
    for tissue in (*TISSUES, DEEP_FLUID):
        yield f"{tissue}_mean"
        yield f"{tissue}_median"
        if tissue in WIDE_TISSUES:
            yield from (f"{tissue}_p{percentile}" for percentile in PERCENTILES)
    yield "grey_white_contrast"
    yield from (f"grey_white_contrast_{region}" for region in REGIONS)


def volume_names() -> Iterator[str]:
    """Yield the names of all volumes of a scan, in the order of the tables."""
    yield from (f"{tissue}_volume_ml" for tissue in TISSUES)
    yield "brain_volume_ml"


def feature_names() -> list[str]:
    """Return the names of all features of one state of a scan, before or after."""
    return [*volume_names(), *intensity_names()]


def intensities(
    data: NDArray[np.floating], labels: NDArray[np.integer], brain: NDArray[np.bool_], deep: NDArray[np.bool_]
) -> Numbers:
    """Measure the intensities of each tissue of a brain, and the contrast of grey and white matter.

    Parameters
    ----------
    data : (I, J, K) ndarray
        In the scan's own units, canonical axes (R, A, S).
    labels : (I, J, K) ndarray of int
        Index into `TISSUE_CLASSES`; of the source, for its result as well.
    brain : (I, J, K) bool ndarray
        Tissues outside are not counted.
    deep : (I, J, K) bool ndarray
        Where fluid is deep, see `deep_in`.

    Returns
    -------
    numbers : dict of str to float
        By `intensity_names`; NaN where there are fewer than `FEWEST_VOXELS`.

    Notes
    -----
    The contrast is the difference of the medians of white and grey matter in percent of their mean, in the whole brain
    and in eight regions: the halves to the left and the right, back and front, below and above the brain's middle. They
    are no lobes; they show whether contrast differs from place to place, without any registration.
    """
    inside = np.where(brain, labels, 0)
    values = {name: data[inside == CLASS_INDEX[name]] for name in TISSUES}
    values[DEEP_FLUID] = data[(inside == CLASS_INDEX["csf"]) & deep]
    found: Numbers = {}
    for name in (*TISSUES, DEEP_FLUID):
        enough = len(values[name]) >= FEWEST_VOXELS
        found[f"{name}_mean"] = float(values[name].mean(dtype=np.float64)) if enough else np.nan
        percentiles = (50, *PERCENTILES) if name in WIDE_TISSUES else (50,)
        keys = [f"{name}_median", *(f"{name}_p{percentile}" for percentile in percentiles[1:])]
        numbers = np.percentile(values[name], percentiles) if enough else np.full(len(percentiles), np.nan)
        found |= dict(zip(keys, numbers.astype(float).tolist(), strict=True))
    found["grey_white_contrast"] = _contrast(values["grey_matter"], values["white_matter"])
    for region, place in _octants(brain):
        part = inside[place]
        grey, white = (data[place][part == index] for index in (GREY_MATTER, WHITE_MATTER))
        found[f"grey_white_contrast_{region}"] = _contrast(grey, white)
    return {name: found[name] for name in intensity_names()}


def deep_in(brain: NDArray[np.bool_], spacing: ArrayLike) -> NDArray[np.bool_]:
    """Return where the brain is deeper than `DEEP_MM` below its surface; holes count as brain.

    Parameters
    ----------
    brain : (I, J, K) bool ndarray
        Brain and fluid. Beyond the field of view it goes on.
    spacing : (3,) array-like of float
        mm.

    Examples
    --------
    >>> deep_in(np.ones((1, 1, 3), bool), (1.0, 1.0, 1.0)).all()
    np.True_
    """
    found = np.zeros(brain.shape, bool)
    (box,) = ndimage.find_objects(brain.astype(np.uint8)) or [None]
    if box is None:
        return found
    # One voxel around the box, for the surface; what is not there, is beyond the field of view.
    box = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in box)
    filled = np.asarray(ndimage.binary_fill_holes(brain[box]))
    if filled.all():
        return brain.copy()
    found[box] = ndimage.distance_transform_edt(filled, sampling=np.asarray(spacing, float).tolist()) > DEEP_MM
    return found


def _contrast(grey: NDArray[np.floating], white: NDArray[np.floating]) -> float:
    """Return the difference of the medians in percent of their mean."""
    if min(len(grey), len(white)) < FEWEST_VOXELS:
        return float("nan")
    low, high = float(np.median(grey)), float(np.median(white))
    return 200 * (high - low) / (high + low) if high + low > 0 else float("nan")


def _octants(brain: NDArray[np.bool_]) -> Iterator[tuple[str, tuple[slice, ...]]]:
    """Yield name and place of eight parts, divided where half of the brain is on each side."""
    middles = []
    for axis in range(3):
        counts = brain.sum(axis=tuple(other for other in range(3) if other != axis)).cumsum()
        middles.append(int(np.searchsorted(counts, counts[-1] / 2)) + 1)
    halves = [(slice(None, middle), slice(middle, None)) for middle in middles]
    yield from zip(REGIONS, product(*halves), strict=True)
