"""Volumes of any size through the paper's network, tile by tile, with the result of one pass.

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
from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork, stage_weights

DEFAULT_TILE = 128  # voxels of stage 1 along an edge
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class EncodedVolume:
    """What the encoder makes of a whole volume.

    Attributes
    ----------
    features : tuple of (1, C, I / 2^(s-1), ...) Tensors
        Of the stages that the decoder reads, shallow first: all with skips, or else the deepest alone.
    statistics : tuple of Statistics
        Of every stage, each (1, C): the style.
    """

    features: tuple[Tensor, ...]
    statistics: tuple[Statistics, ...]


@dataclass(frozen=True)
class _Tile:
    """Where a tile's core is in the volume, and the region read for it; stage 1 is the volume's, here 0."""

    core: Box
    region: Box

    def core_at(self, stage: int) -> Box:
        """Return the core in voxels of a stage."""
        return _at_stage(self.core, stage)

    def region_at(self, stage: int) -> Box:
        """Return the region in voxels of a stage."""
        return _at_stage(self.region, stage)

    def inner(self, stage: int) -> Box:
        """Return the core inside the region, in voxels of a stage."""
        inside = (slice(c.start - r.start, c.stop - r.start) for c, r in zip(self.core, self.region, strict=True))
        i, j, k = inside
        return _at_stage((i, j, k), stage)


@flushed_denormals()
def encode(network: FeatureStyleNetwork, volume: Tensor, weight: Tensor, *, tile: int = DEFAULT_TILE) -> EncodedVolume:
    """
    Return the features of a volume that the decoder reads, and its style.

    Parameters
    ----------
    network : FeatureStyleNetwork
    volume, weight : (1, 1, I, J, K) Tensor
        Edges are multiples of the network's stride; the weight is at least 0 and not 0 everywhere.
    tile : int
        Edge of a tile's core, a multiple of the stride.
    """
    channels = network.settings.channels
    kept = network.settings.first_read_stage
    sums = [torch.zeros(3, n, dtype=torch.float64) for n in channels]
    features = [
        volume.new_empty(1, n, *(edge >> stage for edge in volume.shape[2:]))
        for stage, n in enumerate(channels)
        if stage >= kept
    ]
    for part in _tiles(volume.shape[2:], tile, network.settings):
        region = _channels_and(part.region)
        found = network.encoder(volume[region])
        for stage, (f, w) in enumerate(zip(found, stage_weights(weight[region], len(channels)), strict=True)):
            inner = _channels_and(part.inner(stage))
            sums[stage] += _sums(f[inner].double().cpu(), w[inner].double().cpu())
            if stage >= kept:
                features[stage - kept][_channels_and(part.core_at(stage))] = f[inner]
    return EncodedVolume(tuple(features), tuple(_finish(total, volume.device) for total in sums))


@flushed_denormals()
def decode(
    network: FeatureStyleNetwork, encoded: EncodedVolume, style: Sequence[Statistics], *, tile: int = DEFAULT_TILE
) -> Tensor:
    """
    Return a volume in a style.

    Parameters
    ----------
    network : FeatureStyleNetwork
    encoded : EncodedVolume
    style : sequence of Statistics
        The style wanted, one a stage; with the volume's own the result is the reconstruction.
    tile : int

    Returns
    -------
    decoded : (1, 1, I, J, K) Tensor
    """
    kept = network.settings.first_read_stage
    deepest = encoded.features[-1]
    shape = [edge * network.settings.stride for edge in deepest.shape[2:]]
    decoded = deepest.new_empty(1, 1, *shape)
    for part in _tiles(shape, tile, network.settings):
        features = [f[_channels_and(part.region_at(kept + n))] for n, f in enumerate(encoded.features)]
        piece = network.decoder(network.restyle(features, encoded.statistics[kept:], style[kept:]))
        decoded[_channels_and(part.core)] = piece[_channels_and(part.inner(0))]
    return decoded


def _sums(values: Tensor, weights: Tensor) -> Tensor:
    """Return the sums of weighted values, weighted squares and weights of each channel, (3, C)."""
    weighted = (values * weights).sum(dim=(0, 2, 3, 4))
    squares = (values * values * weights).sum(dim=(0, 2, 3, 4))
    return torch.stack([weighted, squares, weights.sum().expand_as(weighted)])


def _finish(sums: Tensor, device: torch.device) -> Statistics:
    """Turn the sums of values, squares and weights into mean and standard deviation."""
    mean = sums[0] / sums[2]
    variance = (sums[1] / sums[2] - mean * mean).clamp(min=0)
    std = torch.sqrt(variance + EPSILON)
    return Statistics(mean.float()[None].to(device), std.float()[None].to(device))


def _tiles(shape: Sequence[int], edge: int, settings: FeatureNetworkSettings) -> Iterator[_Tile]:
    """Cut a volume into tiles; regions end at the volume's border, where the network pads as in one pass."""
    halo = settings.reach
    spans = []
    for n in shape:
        cores = [slice(start, min(start + edge, n)) for start in range(0, n, edge)]
        spans.append([(core, slice(max(0, core.start - halo), min(n, core.stop + halo))) for core in cores])
    for (ci, ri), (cj, rj), (ck, rk) in product(*spans):
        yield _Tile((ci, cj, ck), (ri, rj, rk))


def _at_stage(box: Box, stage: int) -> Box:
    """Return a box of stage 1 in voxels of another stage, 0 being stage 1."""
    i, j, k = (slice(span.start >> stage, span.stop >> stage) for span in box)
    return i, j, k


def _channels_and(box: Box) -> tuple[slice, ...]:
    """Return a box of all channels."""
    return (slice(None), slice(None), *box)
