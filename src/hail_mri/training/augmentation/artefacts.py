"""What acquisition does to a scan: thick slices, motion, coils, noise.

Volumes are relative to the signal of white matter.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from hail_mri.simulation.fields import gaussian_along, random_field
from hail_mri.simulation.patches import Patch
from hail_mri.simulation.scanners import SLICE_AXIS, Site
from hail_mri.training.augmentation.chances import chance, uniform

FWHM = 2 * math.sqrt(2 * math.log(2))  # of a Gaussian, in standard deviations
FIELD_SMOOTHNESS, FIELD_SPACING = 50.0, 16.0  # mm, of receive fields


def blur(volume: Tensor, site: Site, spacing: float, generator: torch.Generator) -> Tensor:
    """Blur by what the site's resolution is coarser than the voxels; one scan in five has thick slices."""
    in_plane, thickness = site.resolution
    if chance(0.2, generator):
        thickness = uniform(3.0, 6.0, generator)
    if chance(0.1, generator):
        in_plane = uniform(1.5, 3.0, generator)
    for axis in range(3):
        resolution = thickness if axis == SLICE_AXIS[site.plane] else in_plane
        sigma = math.sqrt(max(resolution**2 - spacing**2, 0.0)) / FWHM / spacing
        if sigma > 0.1:
            volume = gaussian_along(volume, axis, sigma)
    return volume


def ring(volume: Tensor, generator: torch.Generator) -> Tensor:
    """Add a faint shifted copy to one scan in ten, as motion between echoes does."""
    if not chance(0.1, generator):
        return volume
    axis, size = int(uniform(0, 3, generator)), uniform(0.02, 0.12, generator)
    shift = int(uniform(2, 14, generator))
    return (1 - size) * volume + size * volume.roll(shift, dims=axis)


def receive_field(patch: Patch, site: Site, spacing: float, generator: torch.Generator) -> Tensor:
    """Draw a coil's sensitivity, (I, J, K), around 1; one scan in seven has a strong one, as at 7 T."""
    field = random_field(generator, n_channels=1, smoothness=FIELD_SMOOTHNESS, spacing=FIELD_SPACING).values
    shape = patch.counts.shape[:3]
    spans = []
    for axis, n in enumerate(shape):
        most = field.shape[axis + 1]
        length = min(most, math.ceil(n * spacing / FIELD_SPACING) + 1)
        start = int(uniform(0, most - length + 1, generator))
        spans.append(slice(start, start + length))
    window = field[:, spans[0], spans[1], spans[2]]
    log_field = F.interpolate(window[None], size=tuple(shape), mode="trilinear", align_corners=True)[0, 0]
    strength = uniform(0.16, 0.45, generator) if chance(1 / 7, generator) else site.receive_strength
    return torch.exp(strength * log_field)


def rician(volume: Tensor, site: Site, spacing: float, generator: torch.Generator) -> Tensor:
    """Add noise: averaged magnitudes keep their noise floor. One scan in twenty has bright noise in the air."""
    snr = site.snr * (uniform(0.3, 1.0, generator) if chance(0.2, generator) else 1.0)
    floor = math.sqrt(math.pi / 2) / snr
    noise = torch.randn(volume.shape, generator=generator) / (snr * max(spacing, 1.0) ** 1.5)
    noisy = (torch.hypot(volume, torch.tensor(floor)) + noise).clamp(min=0)
    if chance(0.05, generator):  # MP2RAGE without its mask
        air = volume < 0.05
        bright = uniform(0.2, 1.2, generator)
        noisy = torch.where(air, bright * torch.rand(volume.shape, generator=generator), noisy)
    elif chance(0.3, generator):  # air that a scanner's own software has set to 0
        noisy = torch.where(volume < 0.5 * floor, torch.zeros_like(noisy), noisy)
    return noisy
