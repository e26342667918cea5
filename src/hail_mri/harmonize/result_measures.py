"""What may be wrong with a result, as numbers: values cut off, edges that moved, change that nothing explains.

A right change of contrast is a smooth local map of intensity: voxels of one place and one intensity change by the same.
What is left of the change when place and intensity are accounted for is *unexplained*: blur, structures that the source
does not have, edges that moved.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from hail_mri.harmonize.result_sample import ResultSample
from hail_mri.image.gradients import alignment, gradients_at
from hail_mri.preprocess.prepare import WHITE_MATTER as WHITE_MATTER_SCALED

FloatArray = NDArray[np.float32]

MOST_EDGE_VOXELS = 150_000  # of the brain, evenly spread; more change no digit
SIGNAL = 0.05  # on the [0, 1] scale; below it voxels are noise, and may be 0 alike
PLACE = 12.0  # mm, edge of a block whose voxels are of one place
INTENSITY = 0.04  # on the [0, 1] scale, width of a bin whose voxels are of one intensity
CEILING = 1.0  # of intensities in the brain on that scale
FEWEST_VOXELS = 40  # of the brain in a block; with less it tells nothing


def piled_share(sample: ResultSample) -> float:
    """Return the share of voxels that have one value in the result, and have not in the source.

    Notes
    -----
    Of the most common value. Of voxels that share a value in the source already (integers, a clipped source) all but
    those of the most common one count: another map takes them to one value if it cuts off.
    """
    signal = sample.source > SIGNAL
    if not signal.any():
        return 0.0
    result, source = sample.result[signal], sample.source[signal]
    values, counts = np.unique(result, return_counts=True)
    own = source[result == values[counts.argmax()]]
    return float(counts.max() - np.unique(own, return_counts=True)[1].max()) / len(result)


def edge_alignment(
    source: FloatArray, result: FloatArray, sample: ResultSample, spacing: NDArray[np.float64]
) -> float | None:
    """Return how parallel the gradients of both are in the brain, 0 to 1; None where there are none.

    Parameters
    ----------
    source, result : (I, J, K) ndarray
        In any units, canonical axes.
    sample : ResultSample
    spacing : (3,) ndarray
        mm.
    """
    if min(source.shape) < 2 or not sample.brain.any():
        return None
    n_brain = int(np.count_nonzero(sample.brain))
    every = slice(None, None, -(-n_brain // MOST_EDGE_VOXELS))
    voxels = tuple(index[sample.brain][every] for index in sample.voxels)
    return alignment(gradients_at(source, voxels, spacing), gradients_at(result, voxels, spacing))


def unexplained_change(sample: ResultSample, spacing: NDArray[np.float64]) -> tuple[float, float]:
    """Return the part of the change that place and intensity do not explain, in the brain and at its worst place.

    Parameters
    ----------
    sample : ResultSample
    spacing : (3,) ndarray
        mm.

    Returns
    -------
    everywhere, worst : float
        Standard deviation of the change within voxels of one place and one intensity, of white matter: of all places,
        and of the place where it is largest.
    """
    source = sample.source[sample.brain].astype(np.float64)
    change = sample.result[sample.brain] - source
    if len(source) == 0:
        return 0.0, 0.0
    places = zip(sample.voxels, spacing, strict=True)
    blocks = [(index[sample.brain] * step // PLACE).astype(np.intp) for index, step in places]
    shape = [int(block.max()) + 1 for block in blocks]
    place = np.ravel_multi_index(tuple(blocks), shape)
    n_bins = round(CEILING / INTENSITY)
    intensity = np.clip(source / INTENSITY, 0, n_bins - 1).astype(np.intp)
    cell, n_cells = place * n_bins + intensity, int(np.prod(shape)) * n_bins
    n, total, squares = (np.bincount(cell, w, n_cells).reshape(-1, n_bins) for w in (None, change, change**2))
    rest = (squares - total**2 / np.maximum(n, 1)).sum(axis=1)
    free = np.maximum(n - 1, 0).sum(axis=1)
    enough = free >= FEWEST_VOXELS
    if not enough.any():
        return 0.0, 0.0
    variances = rest.sum() / free.sum(), (rest[enough] / free[enough]).max()
    everywhere, worst = (math.sqrt(max(variance, 0.0)) / WHITE_MATTER_SCALED for variance in variances)
    return everywhere, worst


def kept_contrast(sample: ResultSample, wanted: dict[str, float]) -> float | None:
    """Return the smallest contrast between tissues in the result, of what it has to be at least; below 0 it flipped.

    Parameters
    ----------
    sample : ResultSample
    wanted : dict of str to float
        Mean of each tissue in the target, on the [0, 1] scale.

    Returns
    -------
    float or None
        Difference of two neighbouring tissues (fluid, grey matter, white matter) in the result, over the smaller one of
        source and target. Tissues whose order source and target do not agree on say nothing. None if nothing can be
        said.
    """
    found = {name: where for name, where in sample.tissues.items() if where.sum() >= FEWEST_VOXELS}
    ratios = []
    for one, other in itertools.pairwise(found):
        own, made = (
            float(values[found[other]].mean(dtype=np.float64) - values[found[one]].mean(dtype=np.float64))
            for values in (sample.source, sample.result)
        )
        least = min(own, wanted[other] - wanted[one], key=abs)
        if own * (wanted[other] - wanted[one]) > 0:
            ratios.append(made / least)
    return min(ratios, default=None)
