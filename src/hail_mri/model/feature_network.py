"""The paper's network: encoder, adaptive instance normalization, decoder. It knows nothing of files or losses.

A *stage* is a resolution: stage 1 is that of the volume, each further stage half of the one before (the paper calls it
a level). The encoder returns the features of all stages. In the paper only the deepest stage is normalized and decoded;
with `skips`, the normalized features of the other stages are added on the way up (the decoder is the encoder's mirror,
so the channels agree).

References
----------
Parida et al., HAIL, 2023, appendix A (figures 3 and 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hail_mri.errors import InputError
from hail_mri.model.adain import Statistics, adain, channel_statistics
from hail_mri.model.thin_features import convolve

Initialization = Literal["he", "default"]
MOST_STAGES = 8  # a voxel of the deepest is 128 voxels of the volume wide
MOST_CHANNELS = 4096
MOST_CONVS = 16


@dataclass(frozen=True)
class FeatureNetworkSettings:
    """Widths and depths.

    Attributes
    ----------
    channels : tuple of int
        Features per stage, shallow to deep.
    convs_per_stage : tuple of int
        Convolutions per stage; the paper's text does not give them, its figures suggest one.
    skips : bool
        Whether the stages above the deepest are normalized and handed to the decoder, too.

    Raises
    ------
    InputError
        If the tuples differ in length, or a number is not one a network of this kind could have.
    """

    channels: tuple[int, ...]
    convs_per_stage: tuple[int, ...]
    skips: bool

    def __post_init__(self) -> None:
        n_stages = len(self.channels)
        if not 1 <= n_stages <= MOST_STAGES or len(self.convs_per_stage) != n_stages:
            raise InputError(
                f"a network has channels of {n_stages} stages and convolutions of {len(self.convs_per_stage)}, "
                f"expected both of the same 1 to {MOST_STAGES} stages"
            )
        for name, numbers, most in (
            ("channels", self.channels, MOST_CHANNELS),
            ("convs_per_stage", self.convs_per_stage, MOST_CONVS),
        ):
            if not all(isinstance(n, int) and 1 <= n <= most for n in numbers):
                raise InputError(f"{name} are {numbers}, expected whole numbers from 1 to {most}")

    @property
    def stride(self) -> int:
        """Voxels of the volume along the edge of one voxel of the deepest stage."""
        return 2 ** (len(self.channels) - 1)

    @property
    def first_read_stage(self) -> int:
        """The shallowest stage whose features the decoder reads, 0 being stage 1."""
        return 0 if self.skips else len(self.channels) - 1

    @property
    def reach(self) -> int:
        """Voxels around a voxel that can change the network's result there, rounded up to a multiple of `stride`."""
        one_way = sum(n * 2**stage for stage, n in enumerate(self.convs_per_stage))
        return -(-2 * (one_way + self.stride) // self.stride) * self.stride


def _convolution(n_in: int, n_out: int, *, relu: bool = True) -> nn.Module:
    """Return the paper's block: 3 x 3 x 3, stride 1, padding 1, ReLU, no normalization."""
    # Here and not above: it takes as long as all else that harmonizing imports, and a tissue network needs none of it.
    from monai.networks.blocks.convolutions import Convolution

    return Convolution(
        3, n_in, n_out, kernel_size=3, strides=1, padding=1, norm=None, act="RELU" if relu else None, adn_ordering="A"
    )


class Encoder(nn.Module):
    """Features at every stage, by convolutions and max pooling (paper, figure 3)."""

    def __init__(self, settings: FeatureNetworkSettings) -> None:
        super().__init__()
        n_in = (1, *settings.channels[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(_convolution(a, b), *(_convolution(b, b) for _ in range(n - 1)))
            for a, b, n in zip(n_in, settings.channels, settings.convs_per_stage, strict=True)
        )
        self.pool = nn.MaxPool3d(2, 2)

    def forward(self, volume: Tensor) -> list[Tensor]:
        """Return the features of all stages, (B, C_s, I / 2^(s-1), ...), shallow first."""
        features = []
        for stage, block in enumerate(self.stages):
            volume = convolve(block, self.pool(volume) if stage else volume)
            features.append(volume)
        return features


class Decoder(nn.Module):
    """A volume from (normalized) features, the encoder's mirror (paper, figure 4)."""

    def __init__(self, settings: FeatureNetworkSettings) -> None:
        super().__init__()
        n_out = (1, *settings.channels[:-1])
        self.skips = settings.skips
        self.stages = nn.ModuleList(
            nn.Sequential(*(_convolution(a, a) for _ in range(n - 1)), _convolution(a, b, relu=stage > 0))
            for stage, (a, b, n) in enumerate(zip(settings.channels, n_out, settings.convs_per_stage, strict=True))
        )
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest-exact")

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Return a volume, (B, 1, I, J, K), from features, shallow first: of all stages, or of those that are read."""
        decoded = convolve(self.stages[-1], features[-1])
        for stage in range(len(self.stages) - 2, -1, -1):
            decoded = self.upsample(decoded)
            if self.skips:
                decoded = decoded + features[stage]
            decoded = convolve(self.stages[stage], decoded)
        return decoded


class FeatureStyleNetwork(nn.Module):
    """Encoder and decoder with adaptive instance normalization between them.

    Parameters
    ----------
    settings : FeatureNetworkSettings
    initialization : "he" or "default"
        How weights begin: as He et al. 2015, or as PyTorch does. Without norms, features vanish with the second.
    """

    def __init__(self, settings: FeatureNetworkSettings, initialization: Initialization = "he") -> None:
        super().__init__()
        self.settings = settings
        self.encoder = Encoder(settings)
        self.decoder = Decoder(settings)
        if initialization == "he":
            self.apply(_he_initialization)

    def statistics(self, features: Sequence[Tensor], weight: Tensor | None = None) -> list[Statistics]:
        """Return the style of each stage; `weight` (B, 1, I, J, K) is that of the voxels of stage 1."""
        if weight is None:
            return [channel_statistics(stage) for stage in features]
        return [channel_statistics(f, w) for f, w in zip(features, stage_weights(weight, len(features)), strict=True)]

    def restyle(
        self, features: Sequence[Tensor], own: Sequence[Statistics], style: Sequence[Statistics]
    ) -> list[Tensor]:
        """Return the features of stages in another style."""
        return [adain(f, a, b) for f, a, b in zip(features, own, style, strict=True)]

    def forward(
        self, source: Tensor, target: Tensor, source_weight: Tensor | None = None, target_weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """
        Return the source in the target's style, and in its own.

        Parameters
        ----------
        source, target : (B, 1, I, J, K) Tensor
            Each on its own [0, 1] scale; edges are multiples of `settings.stride`.
        source_weight, target_weight : (B, 1, I, J, K) Tensor, optional
            Where the style is measured.

        Returns
        -------
        p, r : (B, 1, I, J, K) Tensor
            Prediction and reconstruction. Both go the same way, so that p is r, bit for bit, when the styles agree.
        """
        features = self.encoder(source)
        own = self.statistics(features, source_weight)
        style = self.statistics(self.encoder(target), target_weight)
        return self.predict(features, own, style)

    def predict(
        self, features: Sequence[Tensor], own: Sequence[Statistics], style: Sequence[Statistics]
    ) -> tuple[Tensor, Tensor]:
        """Return p and r, see `forward`, from the source's features, their statistics and the style wanted."""
        return self.decode(features, own, style), self.decode(features, own, own)

    def decode(self, features: Sequence[Tensor], own: Sequence[Statistics], style: Sequence[Statistics]) -> Tensor:
        """Return a volume, (B, 1, I, J, K), from the features of all stages, their statistics and the style wanted."""
        first = self.settings.first_read_stage
        return self.decoder(self.restyle(features[first:], own[first:], style[first:]))


def stage_weights(weight: Tensor, n_stages: int) -> list[Tensor]:
    """Return the weights of the voxels of each stage: the mean over the voxels of stage 1 they cover."""
    return [weight if stage == 0 else F.avg_pool3d(weight, 2**stage) for stage in range(n_stages)]


def _he_initialization(module: nn.Module) -> None:
    """Initialize as He et al. 2015."""
    if isinstance(module, nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            torch.nn.init.zeros_(module.bias)
