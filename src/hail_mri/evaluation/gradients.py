"""How well edges and gradients of a result agree with those of its source, whatever the contrast.

Terms
-----
gradient
    Central differences per mm, one-sided at the border of the grid. Those at the rim of a mask reach one voxel out of
    it.
edge
    A voxel whose gradient is among the strongest of its own scan, inside the mask.

References
----------
Haber, Modersitzki: Intensity gradient based registration and fusion of multi-modal images. MICCAI 2006,
doi:10.1007/11866763_89 (normalized gradient fields).
"""

import numpy as np
from numpy.typing import ArrayLike

from hail_mri.errors import InputError
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.overlap import dice
from hail_mri.evaluation.paired_arrays import mask_on_grid, volumes_on_one_grid
from hail_mri.image.gradients import Gradients, alignment, gradients_at

EDGE_SHARE = 0.1  # of the voxels in the mask are edges


def gradient_alignment(
    source: ArrayLike, result: ArrayLike, *, mask: ArrayLike | None = None, spacing: ArrayLike = (1.0, 1.0, 1.0)
) -> Measurement:
    """Average how parallel the gradients of source and result are: 1 where the result is a local map of the source.

    Parameters
    ----------
    source, result : (I, J, K) array-like
        One grid, each in any unit.
    mask : (I, J, K) bool array-like, optional
        Where to look; everywhere without it.
    spacing : (3,) array-like of float
        Of the voxels, mm.

    Returns
    -------
    Measurement
        The squared cosine of the angle between both gradients, averaged with the source's squared gradient as weight,
        so that edges count and noise in flat regions does not; 0 to 1. Where the result is flat it counts as 0.
        Undefined where the source has no gradient at all.

    Raises
    ------
    InputError
        If shapes differ or are not three-dimensional, a value is not finite, the mask is empty or of another shape, an
        axis has one voxel only, or a spacing is not positive.

    Notes
    -----
    The normalized gradient fields of Haber and Modersitzki 2006, with a weight in place of their edge parameter, which
    would have to be chosen for every unit. Dark and bright may be exchanged; `monotonicity` sees that.

    Examples
    --------
    >>> source = np.arange(27.0).reshape(3, 3, 3)
    >>> gradient_alignment(source, 5 * source + 100).value
    1.0
    """
    parallel = alignment(*_gradients(source, result, mask, spacing))
    if parallel is None:
        return Measurement.undefined("the source has no gradient in the mask")
    return Measurement(parallel)


def gradient_correlation(
    source: ArrayLike, result: ArrayLike, *, mask: ArrayLike | None = None, spacing: ArrayLike = (1.0, 1.0, 1.0)
) -> Measurement:
    """Correlate the magnitudes of both gradients.

    Parameters
    ----------
    source, result, mask, spacing
        As for `gradient_alignment`.

    Returns
    -------
    Measurement
        Pearson's correlation, -1 to 1. Undefined where either has one magnitude everywhere.

    Raises
    ------
    InputError
        As `gradient_alignment`.

    Notes
    -----
    A right change of contrast lowers it, too: where the target shows grey matter closer to white, that edge has to be
    weaker.

    Examples
    --------
    >>> source = np.arange(27.0).reshape(3, 3, 3) ** 2
    >>> round(gradient_correlation(source, 5 * source + 100).value, 9)
    1.0
    """
    magnitudes = [np.linalg.norm(g, axis=1) for g in _gradients(source, result, mask, spacing)]
    for name, magnitude in zip(("source", "result"), magnitudes, strict=True):
        if np.ptp(magnitude) <= np.finfo(np.float32).eps * magnitude.max():
            return Measurement.undefined(f"the gradient of the {name} has one magnitude everywhere in the mask")
    return Measurement(float(np.corrcoef(*magnitudes)[0, 1]))


def edge_agreement(
    source: ArrayLike, result: ArrayLike, *, mask: ArrayLike | None = None, spacing: ArrayLike = (1.0, 1.0, 1.0)
) -> Measurement:
    """Compare the places of the strongest tenth of edges.

    Parameters
    ----------
    source, result, mask, spacing
        As for `gradient_alignment`.

    Returns
    -------
    Measurement
        Dice's coefficient of the edges of both, 0 to 1; by chance 0.1. Undefined where either has no edge.

    Raises
    ------
    InputError
        As `gradient_alignment`.

    Examples
    --------
    >>> source = np.zeros((4, 4, 4))
    >>> source[2, 2, 2] = 1
    >>> edge_agreement(source, 5 * source).value
    1.0
    """
    edges = []
    for name, gradients in zip(("source", "result"), _gradients(source, result, mask, spacing), strict=True):
        magnitude = np.linalg.norm(gradients, axis=1)
        threshold = np.quantile(magnitude, 1 - EDGE_SHARE, method="lower")
        found = (magnitude >= threshold) & (magnitude > 0)
        if not found.any():
            return Measurement.undefined(f"the {name} has no edge in the mask")
        edges.append(found)
    return dice(*edges)


def _gradients(
    source: ArrayLike, result: ArrayLike, mask: ArrayLike | None, spacing: ArrayLike
) -> tuple[Gradients, Gradients]:
    """Take the gradients of both in the mask."""
    a, b = volumes_on_one_grid(source, result)
    if min(a.shape) < 2:
        raise InputError(f"gradients need two voxels along each axis; the shape is {a.shape}")
    steps = np.asarray(spacing, dtype=np.float64)
    if steps.shape != (3,) or not (np.isfinite(steps).all() and (steps > 0).all()):
        raise InputError(f"the spacing is {steps.tolist()}, expected three positive numbers", hint="give it in mm")
    voxels = np.nonzero(mask_on_grid(mask, a.shape))
    return gradients_at(a, voxels, steps), gradients_at(b, voxels, steps)
