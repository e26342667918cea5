"""Smooth random fields in space: deformation, texture, receive and transmit fields are made of these.

A *field* has values on a coarse regular lattice in millimetres (RAS+) and is read anywhere by trilinear
interpolation; outside its lattice it continues with its border value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Field:
    """Values (C, I, J, K) on a lattice with an origin and a spacing in mm."""

    values: Tensor
    origin: tuple[float, float, float]
    spacing: float

    def at(self, points: Tensor) -> Tensor:
        """
        Read the field.

        Parameters
        ----------
        points : (..., 3) Tensor
            Positions (x, y, z) in mm.

        Returns
        -------
        values : (C, ...) Tensor
        """
        size = torch.tensor(self.values.shape[1:], device=points.device, dtype=points.dtype)
        voxels = (points - torch.tensor(self.origin, device=points.device, dtype=points.dtype)) / self.spacing
        # grid_sample wants the last axis first, and -1..1 between the centres of the outer lattice points.
        normalized = (2 * voxels / (size - 1) - 1).flip(-1).reshape(1, 1, 1, -1, 3)
        read = F.grid_sample(self.values[None], normalized, align_corners=True, padding_mode="border")
        return read.reshape(len(self.values), *points.shape[:-1])

    def on_grid(self, shape: tuple[int, ...], affine: np.ndarray) -> Tensor:
        """
        Read the first channel on a grid.

        Parameters
        ----------
        shape : (int, int, int)
        affine : (4, 4) ndarray
            Voxels to mm (RAS+).

        Returns
        -------
        values : (I, J, K) Tensor
        """
        to_mm = torch.tensor(affine, dtype=torch.float32, device=self.values.device)
        axes = [torch.arange(n, device=to_mm.device, dtype=torch.float32) for n in shape]
        j, k = torch.meshgrid(axes[1], axes[2], indexing="ij")
        planes = []
        for i in axes[0]:  # one plane of points at a time: all of a head's would take a gigabyte
            voxels = torch.stack([i.expand_as(j), j, k], dim=-1)
            planes.append(self.at(voxels @ to_mm[:3, :3].T + to_mm[:3, 3])[0])
        return torch.stack(planes)


def smooth_noise(shape: tuple[int, int, int, int], sigma: float, generator: torch.Generator) -> Tensor:
    """
    Return Gaussian noise smoothed by a Gaussian, each channel scaled to mean 0 and standard deviation 1.

    Parameters
    ----------
    shape : (C, I, J, K)
    sigma : float
        Of the smoothing, in lattice points.
    generator : torch.Generator
        On the CPU, so that the same seed gives the same field on any device.
    """
    noise = torch.randn(shape, generator=generator)
    for axis in (1, 2, 3):
        noise = gaussian_along(noise, axis, sigma, periodic=math.ceil(3 * sigma) <= shape[axis])
    centred = noise - noise.mean(dim=(1, 2, 3), keepdim=True)
    return centred / centred.std(dim=(1, 2, 3), keepdim=True)


def gaussian_along(values: Tensor, axis: int, sigma: float, *, periodic: bool = False) -> Tensor:
    """
    Smooth by a Gaussian along one axis.

    Parameters
    ----------
    values : (...) Tensor
    axis : int
    sigma : float
        In points.
    periodic : bool
        Whether the axis goes on with its other end; otherwise its border values are repeated.
    """
    radius = max(1, math.ceil(3 * sigma))
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=values.device) / sigma) ** 2)
    moved = values.movedim(axis, -1)
    # Lines of their own: a 3-D convolution along the first axis gives other last bits with another number of threads.
    lines = F.pad(moved.reshape(-1, 1, moved.shape[-1]), (radius, radius), mode="circular" if periodic else "replicate")
    return F.conv1d(lines, (taps / taps.sum())[None, None]).reshape(moved.shape).movedim(-1, axis)


def random_field(
    generator: torch.Generator,
    *,
    n_channels: int,
    smoothness: float,
    spacing: float,
    extent: float = 288.0,
    device: torch.device | str = "cpu",
) -> Field:
    """
    Draw a field of unit standard deviation over a cube around the origin.

    Parameters
    ----------
    generator : torch.Generator
    n_channels : int
    smoothness : float
        Standard deviation of the smoothing Gaussian, mm.
    spacing : float
        Between lattice points, mm.
    extent : float
        Edge of the cube, mm.
    device : torch.device or str
    """
    n_points = round(extent / spacing) + 1
    values = smooth_noise((n_channels, n_points, n_points, n_points), smoothness / spacing, generator)
    return Field(values.to(device), (-extent / 2,) * 3, spacing)
