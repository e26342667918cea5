"""What is wrong with real scans, drawn at random on a patch: thick slices, motion, coils, noise, parts cut away.

Every function takes the generator it draws from. Volumes are relative to the signal of white matter.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from hail_mri.simulation.fields import gaussian_along, random_field
from hail_mri.simulation.patches import Patch
from hail_mri.simulation.scanners import SLICE_AXIS, Site
from hail_mri.simulation.tissues import AIR, INDEX_OF, TISSUES

FWHM = 2 * math.sqrt(2 * math.log(2))  # of a Gaussian, in standard deviations
FIELD_SMOOTHNESS, FIELD_SPACING = 50.0, 16.0  # mm, of receive fields
INSIDE_SKULL = tuple(range(1, INDEX_OF["csf"] + 1))
NO_FLUID = tuple(index for index in INSIDE_SKULL if index != INDEX_OF["csf"])


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Draw a number between two."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def chance(probability: float, generator: torch.Generator) -> bool:
    """Draw yes or no."""
    return float(torch.rand((), generator=generator)) < probability


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


def strip_skull(patch: Patch, generator: torch.Generator) -> Tensor:
    """Draw what a skull-stripping tool keeps, (I, J, K) bool: with the fluid around the brain, or hardly any of it."""
    with_fluid = chance(0.5, generator)
    share = _share(patch, INSIDE_SKULL if with_fluid else NO_FLUID)
    if not with_fluid:
        share = F.max_pool3d(share[None, None], 3, 1, 1)[0, 0]
        share = share * (_share(patch, INSIDE_SKULL) > 0)
    return share > uniform(0.2, 0.8, generator)


def deface(patch: Patch, corner: Tensor, spacing: float, generator: torch.Generator) -> Tensor:
    """Draw what a defacing tool keeps, (I, J, K) bool: all but what lies low in front, away from the brain."""
    brain = (_share(patch, INSIDE_SKULL) > 0).float()[None, None]
    near_brain = F.max_pool3d(brain, 5, 1, 2)[0, 0] > 0
    shape = patch.counts.shape
    y = corner[1] + spacing * torch.arange(shape[1])
    z = corner[2] + spacing * torch.arange(shape[2])
    front, low = y > uniform(30, 70, generator), z < uniform(0, 60, generator)
    return near_brain | ~(front[:, None] & low[None, :])[None]


def cut_field_of_view(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw a field of view that ends inside the patch, (I, J, K) bool."""
    keep = torch.ones(shape, dtype=torch.bool)
    axis, lost = int(uniform(0, 3, generator)), int(uniform(0, 0.5, generator) * min(shape))
    start = 0 if chance(0.5, generator) else shape[axis] - lost
    keep.narrow(axis, start, lost).zero_()
    return keep


def put_lesions(patch: Patch, spacing: float, generator: torch.Generator) -> Tensor:
    """Put one to five lesions into white matter; return the patch's counts with them."""
    white = (_share(patch, (INDEX_OF["white_matter"],)) > 0.5).nonzero()
    counts = patch.counts
    if len(white) == 0:
        return counts
    axes = [torch.arange(n, dtype=torch.float32) for n in counts.shape[:3]]
    inside = torch.zeros(counts.shape[:3], dtype=torch.bool)
    for _ in range(int(uniform(1, 6, generator))):
        middle = white[int(torch.randint(len(white), (), generator=generator))]
        radii = [uniform(0.6, 1.4, generator) for _ in range(3)]
        size = uniform(2.0, 14.0, generator) / spacing
        i, j, k = (((axis - m) / (size * r)) ** 2 for axis, m, r in zip(axes, middle, radii, strict=True))
        inside |= (i[:, None, None] + j[:, None] + k) < 1
    inside &= _share(patch, NO_FLUID) > 0.5
    lesion = torch.zeros(len(TISSUES), dtype=torch.uint8)
    lesion[INDEX_OF["lesion"]] = patch.n_points
    return torch.where(inside[..., None], lesion, counts)


def _share(patch: Patch, tissues: tuple[int, ...]) -> Tensor:
    """Return the share of some tissues in each voxel, (I, J, K)."""
    if AIR in tissues:
        raise AssertionError("air is what is left when all else is taken away")
    return patch.counts[..., list(tissues)].sum(dim=-1).float() / patch.n_points
