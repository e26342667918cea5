"""The anatomy-safe transfer: the network's change of contrast, applied to the voxels of the scan itself.

The model returns the scan twice on a coarse grid: in the target's style (the prediction p) and in its own (the
reconstruction r). Both are blurred alike, so their relation is clean. It is carried to the native grid in two steps:

1. A *local monotone curve*. In every neighbourhood, how much an intensity changes is a curve over intensity, fitted to
   the pairs (r, p - r) there: a coarse grid over space x intensity, as in a bilateral grid, read at the native voxels.
2. A *correction*. What the curves leave unexplained is smooth in space: the change averaged over the voxels of the
   coarse grid is made to agree with p - r, and the difference is interpolated to the native grid.

When p is r, the change is exactly 0. The curves never decrease and the correction does not depend on intensity, so
within a neighbourhood no two intensities change their order; finer than the coarse grid, no edge can appear where the
scan has none.

References
----------
Chen, Paris, Durand, ACM Trans Graph 26:103 (2007): the bilateral grid. Irani and Peleg, CVGIP 53:231 (1991): step 2 is
one iteration of back-projection.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hail_mri.image.resampling import axis_weights
from hail_mri.image.separable import along_axes, gaussian_weights
from hail_mri.preprocess.network_grid import AxisMatrices
from hail_mri.preprocess.prepare import WHITE_MATTER


@dataclass(frozen=True)
class TransferSettings:
    """How local the curves are.

    Attributes
    ----------
    n_bins : int
        Intensities at which the change is held, evenly from 0 to `ceiling`; linear between, constant beyond.
    ceiling : float
        On the [0, 1] scale of the source.
    radius : float
        Standard deviation of the neighbourhood, voxels of the network grid.
    wide_factor : float
        Where a neighbourhood has too few voxels of an intensity, one this many times as wide is asked, then the head.
    support : float
        How many voxels (of the neighbourhood's weight, which adds up to 1) are too few.
    cell : int
        Voxels of the network grid along the edge of a voxel of the curves' own grid; `radius` is in the latter.
    """

    n_bins: int = 20
    ceiling: float = 1.5
    radius: float = 0.7
    wide_factor: float = 3.0
    support: float = 1e-3
    cell: int = 1


LESION_RADIUS = 2.0  # standard deviation of the neighbourhood that the correction in a lesion is read from, voxels
CURVE_SPACING = 6.0  # mm, of the curves' grid where the network grid is finer


def settings_for(spacing: float) -> TransferSettings:
    """Return the settings for a network grid: curves on a grid of their own where it is fine.

    Parameters
    ----------
    spacing : float
        Of the network grid, mm.
    """
    return TransferSettings(cell=max(1, round(CURVE_SPACING / spacing)))


def transfer(
    source: Tensor,
    p: Tensor,
    r: Tensor,
    weight: Tensor,
    background: Tensor,
    *,
    interior: Tensor | None = None,
    lesion: Tensor | None = None,
    to_network: AxisMatrices,
    to_native: AxisMatrices,
    settings: TransferSettings = TransferSettings(),
) -> Tensor:
    """
    Return the change of every native voxel.

    Parameters
    ----------
    source : (I, J, K) Tensor
        The scan on its [0, 1] scale, native grid.
    p, r : (i, j, k) Tensor
        Prediction and reconstruction, on the network grid.
    weight, background : (i, j, k) Tensor
        Shares of the voxels of the network grid in the measured region, and outside the head.
    interior : (i, j, k) Tensor, optional
        How certainly each voxel is deep in the brain, see `fit_curves`.
    lesion : (i, j, k) Tensor, optional
        Shares that are in neither, though they are in view: the change of what is around is carried through.
    to_network, to_native : three arrays each
        See `Prepared`.
    settings : TransferSettings

    Returns
    -------
    change : (I, J, K) Tensor
        On the target's [0, 1] scale; the harmonized scan is `source + change`.
    """
    matrices = [torch.from_numpy(m) for m in to_native]
    curves = fit_curves(p, r, weight, settings, interior)
    change = read_curves(curves, source, _from_cells(matrices, settings.cell), settings.ceiling)
    explained = torch.from_numpy(along_axes(change.numpy(), to_network))
    known = weight + background
    unexplained = weight * (p - r) - known * explained
    if lesion is not None:
        unexplained += lesion * _from_around(unexplained, known, settings.support)
    correction = unexplained.numpy()
    for start in range(0, len(change), _SLAB):
        slab = slice(start, start + _SLAB)
        change[slab] += torch.from_numpy(along_axes(correction, [to_native[0][slab], *to_native[1:]]))
    return change


_SLAB = 4  # native planes done at once; bounds the memory


def fit_curves(
    p: Tensor, r: Tensor, weight: Tensor, settings: TransferSettings, interior: Tensor | None = None
) -> Tensor:
    """
    Fit, in every neighbourhood, the change p - r as a function of r.

    Parameters
    ----------
    p, r, weight : (i, j, k) Tensor
    settings : TransferSettings
    interior : (i, j, k) Tensor, 0 to 1, optional
        How certainly each voxel is deep in the brain. There, what is brighter than all that the neighbourhood has
        changes in proportion, and not as what is as bright elsewhere in the head: that is fat.

    Returns
    -------
    curves : (n_bins, i, j, k) Tensor
        On the curves' grid. Intensity plus change never decreases along the first axis.
    """
    intensities = torch.linspace(0, settings.ceiling, settings.n_bins)
    share, changes = _by_cell_and_intensity(p, r, weight, settings)
    total = share.sum(dim=(1, 2, 3), keepdim=True)
    everywhere = changes.sum(dim=(1, 2, 3), keepdim=True) / total.clamp(min=settings.support)
    wide = _ask_neighbourhood(changes, share, everywhere, settings.radius * settings.wide_factor, settings.support)
    support = _smooth(share, settings.radius)
    local = (_smooth(changes, settings.radius) + settings.support * wide) / (support + settings.support)
    confidence = support / (support + 3 * settings.support)
    filled = _borrow_from_neighbours(local, confidence)
    if interior is not None:
        deep = _cell_means(interior, settings.cell)
        filled = torch.lerp(filled, _continued(filled, confidence, intensities), deep)
    return _monotone(intensities.reshape(-1, 1, 1, 1) + filled) - intensities.reshape(-1, 1, 1, 1)


def _continued(curves: Tensor, confidence: Tensor, intensities: Tensor) -> Tensor:
    """Replace what has little support, above white matter, by the change of the next darker intensity in proportion."""
    continued = curves.clone()
    for above in range(1 + int(torch.searchsorted(intensities, WHITE_MATTER)), len(curves)):
        in_proportion = continued[above - 1] * (intensities[above] / intensities[above - 1])
        continued[above] = torch.lerp(in_proportion, curves[above], confidence[above])
    return continued


def _cell_means(values: Tensor, cell: int) -> Tensor:
    """Return means over the cells of the curves' grid; beyond the values is nothing."""
    padding = [n for size in reversed(values.shape) for n in (0, -size % cell)]
    return F.avg_pool3d(F.pad(values, padding)[None, None], cell)[0, 0]


def _by_cell_and_intensity(p: Tensor, r: Tensor, weight: Tensor, settings: TransferSettings) -> tuple[Tensor, Tensor]:
    """Add up weight, and weight times change, in cells over space and intensity, (n_bins, i, j, k) each."""
    n_bins, cell = settings.n_bins, settings.cell
    shape = [-(-n // cell) for n in r.shape]
    i, j, k = (torch.arange(n) // cell for n in r.shape)
    cells = ((i[:, None, None] * shape[1] + j[:, None]) * shape[2] + k).flatten()
    place = (r.clamp(0, settings.ceiling) / settings.ceiling * (n_bins - 1)).flatten()
    lower = place.floor().clamp(max=n_bins - 2)
    above = place - lower
    index = cells * n_bins + lower.long()
    sums = []
    for values in (weight.flatten(), (weight * (p - r)).flatten()):
        # bincount adds in one order, whatever the number of threads.
        total = torch.bincount(index, values * (1 - above), minlength=math.prod(shape) * n_bins)
        total += torch.bincount(index + 1, values * above, minlength=len(total))
        sums.append((total / cell**3).to(r.dtype).reshape(*shape, n_bins).movedim(-1, 0).contiguous())
    return sums[0], sums[1]


def _from_cells(to_native: list[Tensor], cell: int) -> list[Tensor]:
    """Return the matrices from the curves' grid to the native one."""
    if cell == 1:
        return to_native
    matrices = []
    for matrix in to_native:
        n = matrix.shape[1]
        up = axis_weights(n, -(-n // cell), 1.0, float(cell), -(cell - 1) / 2)
        matrices.append(matrix @ torch.from_numpy(up))
    return matrices


def read_curves(curves: Tensor, source: Tensor, to_native: list[Tensor], ceiling: float) -> Tensor:
    """
    Read the curves at every native voxel and its intensity.

    Parameters
    ----------
    curves : (n_bins, i, j, k) Tensor
    source : (I, J, K) Tensor
    to_native : three Tensors, (I, i), (J, j), (K, k)
    ceiling : float
        Intensity of the last bin.

    Returns
    -------
    change : (I, J, K) Tensor
    """
    n_bins = len(curves)
    change = torch.empty_like(source)
    for start in range(0, len(source), _SLAB):
        slab = slice(start, start + _SLAB)
        fine = along_axes(curves, [to_native[0][slab], *to_native[1:]])  # (n_bins, a, J, K)
        place = source[slab].clamp(0, ceiling) * ((n_bins - 1) / ceiling)
        lower = place.floor().clamp(max=n_bins - 2).long()[None]
        below, above = fine.gather(0, lower)[0], fine.gather(0, lower + 1)[0]
        change[slab] = torch.lerp(below, above, place - lower[0])
    return change


def _from_around(values: Tensor, known: Tensor, support: float) -> Tensor:
    """Return the mean of values around each voxel, 0 where none is known; values are weighted by how known they are."""
    sums = _smooth(torch.stack([values, known]), LESION_RADIUS)
    return sums[0] / (sums[1] + support)


def _ask_neighbourhood(changes: Tensor, share: Tensor, fallback: Tensor, radius: float, support: float) -> Tensor:
    """Average the change over a neighbourhood; where it has no voxel of that intensity, take the fallback."""
    return (_smooth(changes, radius) + support * fallback) / (_smooth(share, radius) + support)


def _borrow_from_neighbours(curves: Tensor, confidence: Tensor) -> Tensor:
    """Replace what has little support by the mean of the neighbouring intensities, twice."""
    for _ in range(2):
        total = torch.zeros_like(curves)
        weights = torch.zeros_like(curves)
        for to, of in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
            total[to] += curves[of] * confidence[of]
            weights[to] += confidence[of]
        borrowed = confidence * curves + (1 - confidence) * total / weights.clamp(min=1e-6)
        curves = torch.where(weights > 1e-4, borrowed, curves)
    return curves


def _monotone(values: Tensor) -> Tensor:
    """Return the mean of the two nearest non-decreasing sequences, from above and from below, along the first axis."""
    above = torch.cummax(values, dim=0).values
    below = torch.cummin(values.flip(0), dim=0).values.flip(0)
    return (above + below) / 2


def _smooth(volumes: Tensor, radius: float) -> Tensor:
    """Smooth each volume (n, i, j, k) with a Gaussian that adds up to 1; beyond the grid is nothing."""
    return along_axes(volumes, [torch.from_numpy(gaussian_weights(n, radius)) for n in volumes.shape[1:]])
