"""The tissue network: a tissue map from a T1-weighted scan, fast enough for a CPU.

A *tissue map* holds the share of each tissue class (see `tissue_classes`) in each voxel; the shares add up to 1.

Blocks of 2 x 2 x 2 voxels are *folded* into eight channels; a U-Net with residual blocks works on the folded grid, and
its last convolution names the tissues of all eight voxels, which are unfolded again. Convolutions with few channels on
many voxels, the slow part of a U-Net on a CPU, are avoided that way.

Every block normalizes the channels of each voxel on its own (layer normalization): the result does not depend on what
else is in view, so that tiles of any size give the same map.

References
----------
Shi et al., CVPR 2016: the inverse of folding ("pixel shuffle"). Ba, Kiros, Hinton, arXiv 1607.06450: layer
normalization. Ronneberger, Fischer, Brox, MICCAI 2015: the U-Net. He et al., ECCV 2016: residual blocks that normalize
first.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hail_mri.errors import InputError
from hail_mri.model.thin_features import convolve
from hail_mri.model.tissue_classes import TISSUE_CLASSES

FOLD = 2  # voxels along the edge of a folded block
UNDECIDED = 0.1  # factor on the last convolution: a network that starts out sure of itself unlearns it slowly
MOST_STAGES, MOST_CHANNELS, MOST_BLOCKS = 6, 1024, 8


@dataclass(frozen=True)
class TissueNetworkSettings:
    """Widths and depths.

    Attributes
    ----------
    channels : tuple of int
        Features per stage; each stage has half the resolution of the one before, the first is the folded grid.
    blocks : tuple of int
        Residual blocks per stage, on the way down and again on the way up (the deepest stage only once).

    Raises
    ------
    InputError
        If the tuples differ in length, or a number is not one a network of this kind could have.
    """

    channels: tuple[int, ...]
    blocks: tuple[int, ...]

    def __post_init__(self) -> None:
        n_stages = len(self.channels)
        if not 1 <= n_stages <= MOST_STAGES or len(self.blocks) != n_stages:
            raise InputError(
                f"a tissue network has channels of {n_stages} stages and blocks of {len(self.blocks)}, expected both "
                f"of the same 1 to {MOST_STAGES} stages"
            )
        for name, numbers, most in (("channels", self.channels, MOST_CHANNELS), ("blocks", self.blocks, MOST_BLOCKS)):
            if not all(isinstance(n, int) and 1 <= n <= most for n in numbers):
                raise InputError(f"{name} are {numbers}, expected whole numbers from 1 to {most}")

    @property
    def stride(self) -> int:
        """Voxels of the volume along the edge of a voxel of the deepest stage."""
        return FOLD * 2 ** (len(self.channels) - 1)

    @property
    def reach(self) -> int:
        """Voxels around a voxel that can change the map there, rounded up to a multiple of `stride`."""
        deepest = len(self.blocks) - 1
        passes = [(1 if stage == deepest else 2) * n for stage, n in enumerate(self.blocks)]
        convolutions = 1 + sum(2 * n * 2**stage for stage, n in enumerate(passes))  # two a block, one in the stem
        folded = convolutions + 2 ** (deepest + 1)
        return -(-FOLD * folded // self.stride) * self.stride


class TissueNetwork(nn.Module):
    """A U-Net on folded volumes.

    Parameters
    ----------
    settings : TissueNetworkSettings
    """

    def __init__(self, settings: TissueNetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        channels, blocks = settings.channels, settings.blocks
        self.stem = nn.Conv3d(FOLD**3, channels[0], 3, padding=1)
        self.down = nn.ModuleList(_blocks(c, n) for c, n in zip(channels, blocks, strict=True))
        self.halve = nn.ModuleList(nn.Conv3d(a, b, 2, stride=2) for a, b in pairwise(channels))
        self.up = nn.ModuleList(_blocks(c, n) for c, n in zip(channels[:-1], blocks, strict=False))
        self.widen = nn.ModuleList(nn.Conv3d(b, a, 1) for a, b in pairwise(channels))
        self.last_norm = ChannelNorm(channels[0])
        self.last = nn.Conv3d(channels[0], FOLD**3 * len(TISSUE_CLASSES), 1)
        self.last.weight.data.mul_(UNDECIDED)

    def forward(self, volume: Tensor) -> Tensor:
        """
        Return logits of the tissue classes of every voxel, still folded.

        Parameters
        ----------
        volume : (B, 1, I, J, K) Tensor
            On the [0, 1] scale of `prepare`; edges are multiples of the stride.

        Returns
        -------
        logits : (B, I / 2, J / 2, K / 2, 8, n_classes) Tensor
            Contiguous along the classes; see `unfold`.
        """
        features = convolve(self.stem, fold(volume).to(memory_format=torch.channels_last_3d))
        skips = []
        for stage, block in enumerate(self.down):
            features = convolve(block, self.halve[stage - 1](features) if stage else features)
            skips.append(features)
        for stage in range(len(self.up) - 1, -1, -1):
            raised = F.interpolate(self.widen[stage](features), scale_factor=2, mode="nearest-exact")
            features = convolve(self.up[stage], raised + skips[stage])
        logits = self.last(F.relu(self.last_norm(features))).movedim(1, -1)
        return logits.unflatten(-1, (FOLD**3, len(TISSUE_CLASSES)))

    def tissue_map(self, volume: Tensor) -> Tensor:
        """
        Return the share of each tissue class in every voxel.

        Parameters
        ----------
        volume : (B, 1, I, J, K) Tensor

        Returns
        -------
        tissue_map : (B, n_classes, I, J, K) Tensor
            At least 0, adding up to 1.
        """
        return unfold(torch.softmax(self(volume).float(), dim=-1))


class ChannelNorm(nn.Module):
    """Layer normalization over the channels of each voxel, (B, C, i, j, k)."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(n_channels)

    def forward(self, features: Tensor) -> Tensor:
        """Normalize; no copy is made of features that are stored channels last."""
        return self.norm(features.movedim(1, -1)).movedim(-1, 1)


class ResidualBlock(nn.Module):
    """Features plus what two convolutions make of their normalized values."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(n_channels)
        self.first = nn.Conv3d(n_channels, n_channels, 3, padding=1)
        self.second = nn.Conv3d(n_channels, n_channels, 3, padding=1)
        for parameter in self.second.parameters():
            nn.init.zeros_(parameter)  # every block starts as the identity

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        return features + self.second(F.relu(self.first(F.relu(self.norm(features)))))


def fold(volume: Tensor) -> Tensor:
    """
    Turn blocks of 2 x 2 x 2 voxels into channels.

    Parameters
    ----------
    volume : (B, 1, I, J, K) Tensor
        Even edges.

    Returns
    -------
    folded : (B, 8, I / 2, J / 2, K / 2) Tensor

    Examples
    --------
    >>> fold(torch.arange(8.0).reshape(1, 1, 2, 2, 2)).flatten().tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    b, _, i, j, k = volume.shape
    blocks = volume.reshape(b, i // FOLD, FOLD, j // FOLD, FOLD, k // FOLD, FOLD)
    return blocks.permute(0, 2, 4, 6, 1, 3, 5).reshape(b, FOLD**3, i // FOLD, j // FOLD, k // FOLD)


def fold_classes(tissue_map: Tensor) -> Tensor:
    """
    Bring what a loss compares into the order of the network's logits.

    Parameters
    ----------
    tissue_map : (B, I, J, K, C) Tensor

    Returns
    -------
    folded : (B, I / 2, J / 2, K / 2, 8, C) Tensor
    """
    b, i, j, k, c = tissue_map.shape
    blocks = tissue_map.reshape(b, i // FOLD, FOLD, j // FOLD, FOLD, k // FOLD, FOLD, c)
    return blocks.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(b, i // FOLD, j // FOLD, k // FOLD, FOLD**3, c)


def unfold(folded: Tensor) -> Tensor:
    """
    Undo `fold_classes`, and put the classes first.

    Parameters
    ----------
    folded : (B, i, j, k, 8, C) Tensor

    Returns
    -------
    tissue_map : (B, C, 2 i, 2 j, 2 k) Tensor
    """
    b, i, j, k, _, c = folded.shape
    blocks = folded.reshape(b, i, j, k, FOLD, FOLD, FOLD, c)
    return blocks.permute(0, 7, 1, 4, 2, 5, 3, 6).reshape(b, c, i * FOLD, j * FOLD, k * FOLD)


def _blocks(n_channels: int, n: int) -> nn.Sequential:
    """Return residual blocks in a row."""
    return nn.Sequential(*(ResidualBlock(n_channels) for _ in range(n)))
