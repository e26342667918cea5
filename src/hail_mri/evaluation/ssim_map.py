"""The map of structural similarity (SSIM) of two volumes, slab by slab.

References
----------
Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error visibility to structural similarity. IEEE
Transactions on Image Processing 2004.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError

SIGMA = 1.5  # voxels, standard deviation of the Gaussian window
RADIUS = 5  # voxels; 3.5 standard deviations, so 11 taps
K1, K2 = 0.01, 0.03
SLAB_PLANES = 32  # planes whose map is in memory at a time

Box = tuple[slice, ...]


def mean_ssim(
    test: NDArray[np.floating], truth: NDArray[np.floating], where: NDArray[np.bool_], *, data_range: float
) -> float:
    """Average the SSIM map over some voxels.

    Parameters
    ----------
    test, truth : (I, J, K) array of float
        One grid, one unit; mirrored at their border.
    where : (I, J, K) bool array
        The voxels to average over, at least one; their windows reach out of it.
    data_range : float
        In the unit of the arrays, positive.
    """
    total = 0.0
    for box, reach, inner in _slabs(where):
        total += float(_ssim_map(test[reach], truth[reach], data_range)[inner][where[box]].sum())
    return total / int(np.count_nonzero(where))


def where_window_fits(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mark the voxels whose window lies inside the volume.

    Parameters
    ----------
    shape : (3,) tuple of int

    Raises
    ------
    InputError
        If there are none, as an axis has fewer than 11 voxels.
    """
    if min(shape) < 2 * RADIUS + 1:
        raise InputError(
            f"SSIM needs at least {2 * RADIUS + 1} voxels along each axis, or a mask; the shape is {shape}"
        )
    fits = np.zeros(shape, dtype=bool)
    fits[(slice(RADIUS, -RADIUS),) * len(shape)] = True
    return fits


def _slabs(where: NDArray[np.bool_]) -> Iterator[tuple[Box, Box, Box]]:
    """Cut the bounding box into slabs: the place of each, its place with the windows, and the former in the latter."""
    spans = []
    for axis in range(3):
        used = np.flatnonzero(where.any(axis=tuple(a for a in range(3) if a != axis)))
        spans.append((int(used[0]), int(used[-1]) + 1))
    for start in range(*spans[0], SLAB_PLANES):
        ranges = [(start, min(start + SLAB_PLANES, spans[0][1])), *spans[1:]]
        box = tuple(slice(a, b) for a, b in ranges)
        reach = tuple(slice(max(a - RADIUS, 0), b + RADIUS) for a, b in ranges)
        inner = tuple(slice(b.start - r.start, b.stop - r.start) for b, r in zip(box, reach, strict=True))
        yield box, reach, inner


def _ssim_map(test: NDArray[np.floating], truth: NDArray[np.floating], data_range: float) -> NDArray[np.float64]:
    """Compute the SSIM of every voxel; Wang et al. 2004, equation 13."""
    x, y = test.astype(np.float64), truth.astype(np.float64)  # as named in the equation
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mean_x, mean_y = _local_mean(x), _local_mean(y)
    covariance = _local_mean(x * y) - mean_x * mean_y
    variances = _local_mean(x * x + y * y) - mean_x**2 - mean_y**2  # only their sum is needed: one filter less
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return similarity / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))


def _local_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average in the Gaussian window."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(values, SIGMA, radius=RADIUS))
