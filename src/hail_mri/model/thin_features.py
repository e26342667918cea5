"""Convolutions of features that are only a voxel or two thick, in the precision in which they are right.

On CPUs with instructions for bf16, the weight gradient of a 3-D convolution in bf16 is made of memory that nobody wrote
where the features are thinner along their first axis than the kernel (PyTorch 2.13.0; measured for kernels of 3 and 5
voxels, with and without matrix units): noise, or NaN, and another at each call. Single precision is right there, and
features so small cost nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

KERNEL_SIZE = 3  # voxels, of all convolutions that see more than a voxel


def convolve(block: nn.Module, features: Tensor) -> Tensor:
    """
    Apply convolutions of 3 x 3 x 3 voxels; in single precision where bf16 on a CPU would learn noise.

    Parameters
    ----------
    block : Module
        Keeps the edges of what it is given.
    features : (B, C, I, J, K) Tensor

    Returns
    -------
    features : (B, C', I, J, K) Tensor
    """
    is_thin = features.shape[2] < KERNEL_SIZE
    if is_thin and features.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        with torch.autocast("cpu", enabled=False):
            return block(features.float())
    return block(features)
