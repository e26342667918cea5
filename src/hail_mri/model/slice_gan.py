"""The networks of Liu et al.: one generator whose style comes from an image or from noise, and their discriminator.

Images are axial slices of brains. A *style code* is a vector that says how a slice looks; the *style encoder* reads it
in a slice, the *mapping network* makes one of a *latent code*, which is noise. The generator gives a slice the look of
a style code. StarGAN v2 has one output branch of these networks for each domain; Liu et al. know no domains, and here
each has one branch.

References
----------
Choi et al., StarGAN v2, CVPR 2020 (arXiv 1912.01865), appendix: tables of the four networks. Liu et al., Style Transfer
Using Generative Adversarial Networks for Multi-Site MRI Harmonization, MICCAI 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hail_mri.errors import InputError
from hail_mri.model.residual_blocks import ResidualBlock, StyledNorm, StyledResidualBlock, activate

SIZES = (32, 64, 128, 256, 512)  # pixels along an edge
BOTTLENECK, LAST_EDGE = 16, 4  # pixels along an edge, of the generator's coarsest features, and of the encoders'
N_BOTTLENECK = 2  # blocks there without a style, and as many with one
N_MAPPING = 7  # hidden layers: four that the domains of StarGAN v2 share and three of their own
MOST_NUMBERS = 4096


@dataclass(frozen=True)
class SliceGanSettings:
    """Widths and depths.

    Attributes
    ----------
    size : int
        Pixels along an edge of a slice: 256 in the papers. Depths go by it.
    width, widest : int
        Channels at full resolution; they double with each halving up to the widest. 64 and 512 in StarGAN v2.
    n_style, n_latent, n_hidden : int
        Numbers of a style code, of a latent code, and of a hidden layer of the mapping network: 64, 16, 512.

    Raises
    ------
    InputError
        If a number is not one that networks of this kind could have.
    """

    size: int
    width: int
    widest: int
    n_style: int
    n_latent: int
    n_hidden: int

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise InputError(f"slices of {self.size} pixels, expected one of {', '.join(map(str, SIZES))}")
        for name in ("width", "widest", "n_style", "n_latent", "n_hidden"):
            number = getattr(self, name)
            if not (isinstance(number, int) and 1 <= number <= MOST_NUMBERS):
                raise InputError(f"{name} is {number}, expected a whole number from 1 to {MOST_NUMBERS}")

    def channels(self, last_edge: int) -> list[int]:
        """Return the channels at full resolution, at half of it and so on, down to an edge of some pixels."""
        n_halvings = (self.size // last_edge).bit_length() - 1
        return [min(self.width * 2**n, self.widest) for n in range(n_halvings + 1)]


class Generator(nn.Module):
    """A slice in another style: down to 16 x 16 pixels and up again, with no way around but within the blocks."""

    def __init__(self, settings: SliceGanSettings) -> None:
        super().__init__()
        channels, n_style = settings.channels(BOTTLENECK), settings.n_style
        deepest, steps = channels[-1], list(pairwise(channels))
        self.first = nn.Conv2d(1, channels[0], 1)
        self.down = nn.Sequential(
            *(ResidualBlock(a, b, resampling="halve", normalize=True) for a, b in steps),
            *(ResidualBlock(deepest, deepest, resampling="keep", normalize=True) for _ in range(N_BOTTLENECK)),
        )
        self.up = nn.ModuleList(
            [StyledResidualBlock(deepest, deepest, n_style, resampling="keep") for _ in range(N_BOTTLENECK)]
            + [StyledResidualBlock(b, a, n_style, resampling="double") for a, b in reversed(steps)]
        )
        self.last_norm = nn.InstanceNorm2d(channels[0], affine=True)
        self.last = nn.Conv2d(channels[0], 1, 1)

    def forward(self, slices: Tensor, style: Tensor) -> Tensor:
        """
        Return slices in other styles.

        Parameters
        ----------
        slices : (B, 1, size, size) Tensor
            On the [0, 1] scale, 0 outside the brain.
        style : (B, n_style) Tensor

        Returns
        -------
        slices : (B, 1, size, size) Tensor
        """
        features = self.down(self.first(slices))
        for block in self.up:
            features = block(features, style)
        return self.last(activate(self.last_norm(features)))


class SliceReader(nn.Module):
    """A vector of a slice, by residual blocks without normalization and one layer that sees all of its places.

    Parameters
    ----------
    settings : SliceGanSettings
    n_out : int
        Numbers of the vector.
    """

    def __init__(self, settings: SliceGanSettings, n_out: int) -> None:
        super().__init__()
        channels = settings.channels(LAST_EDGE)
        self.first = nn.Conv2d(1, channels[0], 1)
        self.blocks = nn.Sequential(
            *(ResidualBlock(a, b, resampling="halve", normalize=False) for a, b in pairwise(channels))
        )
        self.gather = nn.Conv2d(channels[-1], channels[-1], LAST_EDGE)
        self.last = nn.Linear(channels[-1], n_out)

    def forward(self, slices: Tensor) -> Tensor:
        """Return (B, n_out) of slices (B, 1, size, size)."""
        features = activate(self.blocks(self.first(slices)))
        return self.last(activate(self.gather(features)).flatten(1))


class SliceGan(nn.Module):
    """What harmonizes, and is averaged over a training: generator, style encoder and mapping network.

    Parameters
    ----------
    settings : SliceGanSettings
    """

    def __init__(self, settings: SliceGanSettings) -> None:
        super().__init__()
        self.settings = settings
        self.generator = Generator(settings)
        self.style_encoder = SliceReader(settings, settings.n_style)
        self.mapping = mapping_network(settings)
        begin_as_he(self)


class Discriminator(SliceReader):
    """The logit of a slice being real, (B, 1)."""

    def __init__(self, settings: SliceGanSettings) -> None:
        super().__init__(settings, 1)
        begin_as_he(self)


def mapping_network(settings: SliceGanSettings) -> nn.Sequential:
    """Return what makes style codes (B, n_style) of latent codes (B, n_latent)."""
    widths = [settings.n_latent, *[settings.n_hidden] * N_MAPPING]
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(settings.n_hidden, settings.n_style))


def begin_as_he(network: nn.Module) -> None:
    """Initialize weights as He et al. 2015, biases with 0, but those of the scales of AdaIN with 1."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in network.modules():
        if isinstance(module, StyledNorm):
            module.begin_with_scale_1()


def pad_slices(slices: Tensor, size: int) -> Tensor:
    """
    Put slices in the middle of squares of air.

    Parameters
    ----------
    slices : (B, 1, I, J) Tensor
    size : int
        At least I and J.

    Raises
    ------
    InputError
        If they are larger.

    Examples
    --------
    >>> slices = torch.rand(2, 1, 20, 31)
    >>> torch.equal(crop_slices(pad_slices(slices, 32), (20, 31)), slices)
    True
    """
    margins = _margins(slices.shape[2:], size)
    return F.pad(slices, margins)


def crop_slices(squares: Tensor, shape: tuple[int, int]) -> Tensor:
    """Undo `pad_slices` of slices of a shape (I, J)."""
    left, _, top, _ = _margins(torch.Size(shape), squares.shape[-1])
    return squares[..., top : top + shape[0], left : left + shape[1]]


def _margins(shape: torch.Size, size: int) -> tuple[int, int, int, int]:
    """Return the pixels before and after the second axis, and the first, as `F.pad` wants them."""
    if max(shape) > size:
        raise InputError(f"slices have {' x '.join(map(str, shape))} pixels, expected at most {size} x {size}")
    (top, bottom), (left, right) = ((n // 2, n - n // 2) for n in (size - edge for edge in shape))
    return left, right, top, bottom
