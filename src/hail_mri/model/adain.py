"""Adaptive instance normalization over whole volumes.

The *style* of a volume is the mean and the standard deviation of each feature channel; adaptive instance
normalization gives features another volume's style. Statistics may be weighted by a mask, so that the amount of air
around a head is no part of its style.

References
----------
Huang and Belongie, ICCV 2017, eq. 8.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

EPSILON = 1e-5  # added to the variance: a channel may be silent


class Statistics(NamedTuple):
    """Mean and standard deviation per channel, each (B, C)."""

    mean: Tensor
    std: Tensor


def channel_statistics(features: Tensor, weight: Tensor | None = None) -> Statistics:
    """
    Return the weighted mean and standard deviation of each channel.

    Parameters
    ----------
    features : (B, C, I, J, K) Tensor
    weight : (B, 1, I, J, K) Tensor, optional
        At least 0, not everywhere 0; none weighs all voxels alike.
    """
    share = _shares(features, weight)
    if features.requires_grad and torch.is_grad_enabled():
        mean, variance = _Moments.apply(features, share)
    else:
        mean, variance = _moments(features, share)
    return Statistics(mean, torch.sqrt(variance + EPSILON))


def _shares(features: Tensor, weight: Tensor | None) -> Tensor:
    """Return what share each voxel has in the statistics, (B, N, 1); they sum to 1."""
    n_items, n_voxels = features.shape[0], math.prod(features.shape[2:])
    if weight is None:
        return torch.full((n_items, n_voxels, 1), 1 / n_voxels, device=features.device)
    flat = weight.reshape(n_items, n_voxels, 1).float()
    return flat / flat.sum(dim=1, keepdim=True)


def _moments(features: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each channel, (B, C) each, in single precision."""
    with torch.autocast(features.device.type, enabled=False):
        values = features.flatten(2).float()  # (B, C, N)
        mean = values @ share  # (B, C, 1)
        return mean[..., 0], ((values - mean).square() @ share)[..., 0]


class _Moments(torch.autograd.Function):
    """`_moments` with a derivative of its own.

    It keeps nothing for the way back beside the features, and takes less than half of autograd's time on the volumes of
    stage 1, where most of a training step was spent.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
        mean, variance = _moments(features, share)
        ctx.save_for_backward(features, share, mean)
        return mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_mean: Tensor, of_variance: Tensor) -> tuple[Tensor, None]:
        """Return share (g_mean + 2 g_variance (f - mean)): the mean's own part in the variance vanishes."""
        features, share, mean = ctx.saved_tensors
        with torch.autocast(features.device.type, enabled=False):
            slope = 2 * of_variance
            offset = of_mean - slope * mean
            gradient = features.flatten(2).float() * slope[..., None]
            gradient.add_(offset[..., None]).mul_(share.transpose(1, 2))
        return gradient.to(features.dtype).view_as(features), None


def adain(features: Tensor, own: Statistics, style: Statistics) -> Tensor:
    """
    Replace the features' own statistics by those of a style.

    Parameters
    ----------
    features : (B, C, I, J, K) Tensor
    own, style : Statistics
        Of the features, and of the style wanted.

    Returns
    -------
    features : (B, C, I, J, K) Tensor
    """
    scale = style.std / own.std
    shift = style.mean - scale * own.mean
    return features * scale[:, :, None, None, None] + shift[:, :, None, None, None]
