"""Adaptive instance normalization over whole volumes.

The *style* of a volume is the mean and the standard deviation of each feature channel; adaptive instance
normalization gives features another volume's style. Statistics may be weighted by a mask, so that the amount of air
around a head is no part of its style.

References
----------
Huang and Belongie, ICCV 2017, eq. 8.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

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
    if weight is None:
        weight = torch.ones_like(features[:, :1])
    total = weight.sum(dim=(2, 3, 4))
    mean = (features * weight).sum(dim=(2, 3, 4)) / total
    deviation = features - mean[:, :, None, None, None]
    variance = (deviation * deviation * weight).sum(dim=(2, 3, 4)) / total
    return Statistics(mean, torch.sqrt(variance + EPSILON))


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
