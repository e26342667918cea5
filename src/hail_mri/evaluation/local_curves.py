"""What a non-decreasing curve of one volume, another one in each place, makes of another volume.

The head is covered by cells of `CELL` mm. Each has a curve of its own, fitted to a window of three cells along each
axis, in which the middle one counts most; between the middles of cells curves are mixed linearly, and the mixture of
non-decreasing curves is one, too. A smooth gain is followed more closely: what the curves make of the volume is then
drawn to it by a straight line that never falls, fitted around each voxel in a Gaussian window of `GAIN` mm.

References
----------
Robertson, Wright, Dykstra: Order Restricted Statistical Inference. Wiley 1988, chapter 1 (isotonic regression).
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

CELL = 16.0  # mm: windows of 48 mm hold several tissues, and much more than the structures that are looked for
GAIN = 10.0  # mm, standard deviation
LEAST = 64.0  # voxels, those in the middle cell counted eight times, for a point of a curve: fewer follow their noise
N_LEVELS = 64  # half of the nodes at equal shares of the voxels, half at equal distances; twice as many in all


def explained_by_local_curves(
    given: NDArray[np.floating],
    volume: NDArray[np.floating],
    inside: NDArray[np.bool_],
    spacing: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what local non-decreasing curves of one volume make of another.

    Parameters
    ----------
    given, volume : (I, J, K) array
        Finite.
    inside : (I, J, K) bool array
        Where curves are fitted and read; not empty.
    spacing : (3,) array
        mm.

    Returns
    -------
    explained : (n,) array
        In the order of `volume[inside]`, in its unit.

    Examples
    --------
    >>> given = np.random.default_rng(0).uniform(size=(24, 24, 24))
    >>> explained = explained_by_local_curves(given, np.sqrt(given), given >= 0, np.ones(3))
    >>> bool(np.abs(explained - np.sqrt(given).ravel()).mean() < 0.01)
    True
    """
    values, wanted = given[inside].astype(np.float64), volume[inside].astype(np.float64)
    nodes = _nodes(values)
    if len(nodes) < 2:
        return np.full(values.shape, wanted.mean())
    cells = np.stack(
        [(index + 0.5) * step / CELL - 0.5 for index, step in zip(np.nonzero(inside), spacing, strict=True)]
    )
    bins = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2)
    cells -= np.floor(cells.min(axis=1, keepdims=True))
    shape = tuple(int(n) + 2 for n in cells.max(axis=1))
    curves = _curves((None, values, wanted), bins, cells, shape, nodes)
    return _follow_gain(_read(curves, values, nodes, cells), wanted, inside, spacing)


def _nodes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intensities at which curves are known, in order."""
    shares = np.quantile(values, np.linspace(0, 1, N_LEVELS + 1))
    return np.unique(np.concatenate([shares, np.linspace(shares[0], shares[-1], N_LEVELS + 1)]))


def _curves(
    summands: tuple[NDArray[np.float64] | None, ...],
    bins: NDArray[np.intp],
    cells: NDArray[np.float64],
    shape: tuple[int, ...],
    nodes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Fit a curve to the window of each cell; return it at the nodes, (..., n_nodes).

    `summands` are None, to count voxels, what is given, and what is wanted.
    """
    whole = (*shape, len(nodes) - 1)
    flat = np.ravel_multi_index((*np.rint(cells).astype(np.intp), bins), whole)
    sums = [
        _windows(np.bincount(flat, weights=each, minlength=int(np.prod(whole))).reshape(whole)) for each in summands
    ]
    overall = _curve(*(each.sum(axis=(0, 1, 2)) for each in sums), nodes=nodes)
    curves = np.empty((*shape, len(nodes)))
    for cell in np.ndindex(*shape):
        n, given, wanted = (each[cell] for each in sums)
        curves[cell] = _curve(n, given, wanted, nodes=nodes) if n.any() else overall
    return curves


def _windows(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Add up cells over windows of three along each axis, those in the middle doubly."""
    summed = counts.astype(np.float64)
    for axis in range(3):
        summed = ndimage.convolve1d(summed, [1.0, 2.0, 1.0], axis=axis, mode="constant")
    return summed


def _curve(
    n: NDArray[np.float64],
    sum_given: NDArray[np.float64],
    sum_wanted: NDArray[np.float64],
    *,
    nodes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Fit the isotonic regression of one window, through means of bins, or of several that hold too few voxels."""
    from scipy.optimize import isotonic_regression

    filled = n > 0
    n, sum_given, sum_wanted = n[filled], sum_given[filled], sum_wanted[filled]
    groups = ((np.cumsum(n) - n) // LEAST).astype(np.intp)
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    if n[starts[-1] :].sum() < LEAST and len(starts) > 1:  # the brightest
        starts = starts[:-1]
    n, sum_given, sum_wanted = (np.add.reduceat(each, starts) for each in (n, sum_given, sum_wanted))
    means = sum_wanted / n
    rising = isotonic_regression(means, weights=n).x if means.size > 1 else means
    return np.asarray(np.interp(nodes, sum_given / n, rising))


def _read(
    curves: NDArray[np.float64], values: NDArray[np.float64], nodes: NDArray[np.float64], cells: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Read at each voxel the curves of the eight cells around it, mixed linearly."""
    bins = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2)
    above = (values - nodes[bins]) / (nodes[bins + 1] - nodes[bins])
    first = np.floor(cells).astype(np.intp)
    beyond = cells - first
    explained = np.zeros(values.shape)
    for corner in product((0, 1), repeat=3):
        share = np.prod([b if c else 1 - b for b, c in zip(beyond, corner, strict=True)], axis=0)
        i, j, k = (f + c for f, c in zip(first, corner, strict=True))
        explained += share * ((1 - above) * curves[i, j, k, bins] + above * curves[i, j, k, bins + 1])
    return explained


def _follow_gain(
    explained: NDArray[np.float64],
    wanted: NDArray[np.float64],
    inside: NDArray[np.bool_],
    spacing: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Draw what is explained to what is wanted by a straight line in each place."""
    total = _mean_around(np.ones(explained.shape), inside, spacing)
    x, y, xx, xy = (
        _mean_around(values, inside, spacing) / total
        for values in (explained, wanted, explained**2, explained * wanted)
    )
    # Where next to nothing varies the line has the slope 1.
    little = 0.01 * float(np.var(explained)) + np.finfo(np.float64).tiny
    slope = np.maximum((xy - x * y + little) / (np.maximum(xx - x**2, 0) + little), 0)
    return np.asarray(y + slope * (explained - x))


def _mean_around(
    values: NDArray[np.float64], inside: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average over a Gaussian window, nothing being outside; (n,) in and out."""
    volume = np.zeros(inside.shape)
    volume[inside] = values
    return np.asarray(ndimage.gaussian_filter(volume, GAIN / spacing, mode="constant", truncate=3)[inside])
