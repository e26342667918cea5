"""Volumes of any size through the network, tile by tile, with the result of one pass.

A tile is computed with a *halo* as wide as the network's reach, and only its core is kept; statistics are added up over
the cores in double precision and belong to the whole volume. So the size of the tiles changes nothing, and there are no
seams. Smooth blending of overlapping tiles, the usual way, would hide seams instead of avoiding them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from hail_mri.model.adain import EPSILON, Statistics
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.networks import HailNetwork, level_weights

DEFAULT_TILE = 128  # voxels of level 1 along an edge


@dataclass(frozen=True)
class _Tile:
    """Where a tile's core is in the volume, the region read for it, and where the core is in that region."""

    core: tuple[slice, slice, slice]
    region: tuple[slice, slice, slice]

    def inner(self, level: int) -> tuple[slice, slice, slice]:
        """Return the core inside the region, in voxels of a level (0 is the volume's)."""
        i, j, k = (
            slice((c.start - r.start) >> level, (c.stop - r.start) >> level)
            for c, r in zip(self.core, self.region, strict=True)
        )
        return i, j, k


@flushed_denormals()
def whole_statistics(
    network: HailNetwork, volume: Tensor, weight: Tensor, *, tile: int = DEFAULT_TILE
) -> list[Statistics]:
    """
    Return the style of a volume at every level.

    Parameters
    ----------
    network : HailNetwork
    volume, weight : (1, 1, I, J, K) Tensor
        Edges are multiples of the network's stride; the weight is at least 0 and not 0 everywhere.
    tile : int
        Edge of a tile's core, a multiple of the stride.

    Returns
    -------
    style : list of Statistics
        One a level, each (1, C).
    """
    n_levels = len(network.settings.channels)
    sums = [torch.zeros(3, n, dtype=torch.float64) for n in network.settings.channels]
    for part in _tiles(volume.shape[2:], tile, network):
        region = (slice(None), slice(None), *part.region)
        features = network.encoder(volume[region])
        for level, (f, w) in enumerate(zip(features, level_weights(weight[region], n_levels), strict=True)):
            inner = (slice(None), slice(None), *part.inner(level))
            values, shares = f[inner].double().cpu(), w[inner].double().cpu()
            weighted = (values * shares).sum(dim=(0, 2, 3, 4))
            squares = (values * values * shares).sum(dim=(0, 2, 3, 4))
            sums[level] += torch.stack([weighted, squares, shares.sum().expand_as(weighted)])
    return [_finish(total, volume.device) for total in sums]


@flushed_denormals()
def draw(
    network: HailNetwork,
    volume: Tensor,
    own: Sequence[Statistics],
    style: Sequence[Statistics],
    *,
    tile: int = DEFAULT_TILE,
) -> Tensor:
    """
    Draw a volume in a style.

    Parameters
    ----------
    network : HailNetwork
    volume : (1, 1, I, J, K) Tensor
    own, style : sequence of Statistics
        Of the whole volume, and of the style wanted, one a level.
    tile : int

    Returns
    -------
    drawn : (1, 1, I, J, K) Tensor
    """
    drawn = torch.empty_like(volume)
    for part in _tiles(volume.shape[2:], tile, network):
        tile_volume = volume[(slice(None), slice(None), *part.region)]
        piece = network.decoder(network.restyle(network.encoder(tile_volume), own, style))
        drawn[(slice(None), slice(None), *part.core)] = piece[(slice(None), slice(None), *part.inner(0))]
    return drawn


def _finish(sums: Tensor, device: torch.device) -> Statistics:
    """Turn the sums of values, squares and weights into mean and standard deviation."""
    mean = sums[0] / sums[2]
    variance = (sums[1] / sums[2] - mean * mean).clamp(min=0)
    std = torch.sqrt(variance + EPSILON)
    return Statistics(mean.float()[None].to(device), std.float()[None].to(device))


def _tiles(shape: Sequence[int], edge: int, network: HailNetwork) -> Iterator[_Tile]:
    """Cut a volume into tiles; regions end at the volume's border, where the network pads as in one pass."""
    halo = network.settings.reach
    spans = []
    for n in shape:
        cores = [slice(start, min(start + edge, n)) for start in range(0, n, edge)]
        spans.append([(core, slice(max(0, core.start - halo), min(n, core.stop + halo))) for core in cores])
    for (ci, ri), (cj, rj), (ck, rk) in product(*spans):
        yield _Tile((ci, cj, ck), (ri, rj, rk))
