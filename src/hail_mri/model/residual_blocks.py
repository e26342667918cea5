"""Pre-activation residual blocks of images, whose features are normalized, given a style, or left as they are.

References
----------
He et al., ECCV 2016: pre-activation. Huang and Belongie, ICCV 2017: AdaIN. Karras et al., StyleGAN2, CVPR 2020,
appendix B: the sum of two paths has twice the variance, which a factor takes back.
"""

from __future__ import annotations

import math
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky ReLU below 0
HALF_POWER = 1 / math.sqrt(2)

Resampling = Literal["halve", "keep", "double"]


class ResidualBlock(nn.Module):
    """Features plus what two convolutions make of them, at half the resolution or the same.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    resampling : "halve" or "keep"
    normalize : bool
        Whether each channel of each image is normalized before an activation (instance normalization).
    """

    def __init__(self, n_in: int, n_out: int, *, resampling: Resampling, normalize: bool) -> None:
        super().__init__()
        self.resampling: Resampling = resampling
        self.norms = nn.ModuleList(nn.InstanceNorm2d(n_in, affine=True) if normalize else nn.Identity() for _ in "ab")
        self.first, self.second = nn.Conv2d(n_in, n_in, 3, padding=1), nn.Conv2d(n_in, n_out, 3, padding=1)
        self.shortcut = _shortcut(n_in, n_out)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, n_out, i, j) of (B, n_in, I, J)."""
        change = self.first(activate(self.norms[0](features)))
        change = self.second(activate(self.norms[1](resample(change, self.resampling))))
        return HALF_POWER * (resample(self.shortcut(features), self.resampling) + change)


class StyledResidualBlock(nn.Module):
    """Features plus what two convolutions make of them in a style, at twice the resolution or the same.

    Parameters
    ----------
    n_in, n_out, n_style : int
        Channels, and numbers of a style code.
    resampling : "keep" or "double"
    """

    def __init__(self, n_in: int, n_out: int, n_style: int, *, resampling: Resampling) -> None:
        super().__init__()
        self.resampling: Resampling = resampling
        self.norms = nn.ModuleList([StyledNorm(n_in, n_style), StyledNorm(n_out, n_style)])
        self.first, self.second = nn.Conv2d(n_in, n_out, 3, padding=1), nn.Conv2d(n_out, n_out, 3, padding=1)
        self.shortcut = _shortcut(n_in, n_out)

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        """Return (B, n_out, i, j) of (B, n_in, I, J) and style codes (B, n_style)."""
        change = resample(activate(self.norms[0](features, style)), self.resampling)
        change = self.second(activate(self.norms[1](self.first(change), style)))
        return HALF_POWER * (resample(self.shortcut(features), self.resampling) + change)


class StyledNorm(nn.Module):
    """Adaptive instance normalization: the scale and shift of each channel are affine functions of a style code.

    Parameters
    ----------
    n_channels, n_style : int
    """

    def __init__(self, n_channels: int, n_style: int) -> None:
        super().__init__()
        self.affine = nn.Linear(n_style, 2 * n_channels)

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        """Return features of the same shape."""
        scale, shift = self.affine(style)[:, :, None, None].chunk(2, dim=1)
        return scale * F.instance_norm(features) + shift

    def begin_with_scale_1(self) -> None:
        """Set the bias of scales to 1, that of shifts to 0."""
        n_channels = self.affine.out_features // 2
        nn.init.ones_(self.affine.bias[:n_channels])
        nn.init.zeros_(self.affine.bias[n_channels:])


def activate(features: Tensor) -> Tensor:
    """Return the leaky ReLU."""
    return F.leaky_relu(features, SLOPE)


def resample(features: Tensor, resampling: Resampling) -> Tensor:
    """Average 2 x 2 pixels, repeat each 2 x 2 times, or leave them."""
    if resampling == "halve":
        return F.avg_pool2d(features, 2)
    return F.interpolate(features, scale_factor=2, mode="nearest") if resampling == "double" else features


def _shortcut(n_in: int, n_out: int) -> nn.Module:
    """Return the identity, or a 1 x 1 convolution if the number of channels changes."""
    return nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1, bias=False)
