"""Scanning: a subject in a scanner becomes a volume on a grid.

`place` reads the subject on the (finer) grid once; `scan` turns that into the signal of a site. Scanning the same
phantom at two sites gives a travelling subject with the truth voxel by voxel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hail_mri.simulation.fields import Field, gaussian_along, random_field
from hail_mri.simulation.scanners import SLICE_AXIS, Site
from hail_mri.simulation.subjects import Subject, is_brain, is_head
from hail_mri.simulation.tissues import INDEX_OF, TISSUES, parameter_table

_POINTS_AT_ONCE = 1 << 22  # bounds the memory of the signal equations
_FWHM = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True)
class RigidTransform:
    """Rigid position of the head: subject = rotation @ scanner + translation, mm."""

    rotation: Tensor
    translation: Tensor


@dataclass(frozen=True)
class Phantom:
    """A subject read at m points in each voxel of a grid: only the voxels that hold tissue are kept."""

    shape: tuple[int, int, int]
    affine: np.ndarray
    voxels: Tensor  # (n,) flat indices into the grid
    tissue: Tensor  # (n, m) uint8
    tissue_factors: Tensor  # (3, n) factors on T1 and PD, transmit pattern

    def on_grid(self, values: Tensor) -> Tensor:
        """Return the values (n,) of the kept voxels as a volume (I, J, K), 0 elsewhere."""
        volume = torch.zeros(self.shape, device=values.device)
        volume.view(-1)[self.voxels] = values
        return volume

    @property
    def brain(self) -> Tensor:
        """(I, J, K) bool: more than half of the voxel is inside the skull."""
        return self.on_grid(is_brain(self.tissue).float().mean(dim=1)) > 0.5

    @property
    def white_matter(self) -> Tensor:
        """(I, J, K) bool: the whole voxel is white matter of the cerebrum."""
        return self.on_grid((self.tissue == INDEX_OF["white_matter"]).all(dim=1).float()) > 0.5

    @property
    def head(self) -> Tensor:
        """(I, J, K) bool: more than half of the voxel holds tissue."""
        return self.on_grid(is_head(self.tissue).float().mean(dim=1)) > 0.5

    @property
    def tissue_labels(self) -> Tensor:
        """(I, J, K) float32: index of the commonest tissue in the voxel, the lower one in a tie."""
        most = torch.zeros_like(self.tissue[:, 0])
        commonest = torch.zeros_like(most)
        for index in range(len(TISSUES)):
            count = (self.tissue == index).sum(dim=1, dtype=torch.uint8)
            commonest = torch.where(count > most, index, commonest)
            most = torch.maximum(most, count)
        return self.on_grid(commonest.float())


def random_transform(generator: torch.Generator, *, degrees: float = 8.0, millimetres: float = 6.0) -> RigidTransform:
    """Draw a head position: rotations about three axes and shifts, with these standard deviations."""
    a, b, c = (math.radians(degrees) * torch.randn(3, generator=generator)).tolist()
    skew = torch.tensor([[0, -c, b], [c, 0, -a], [-b, a, 0]])
    return RigidTransform(torch.matrix_exp(skew), millimetres * torch.randn(3, generator=generator))


def no_transform() -> RigidTransform:
    """Return the position in which scanner and subject frames agree."""
    return RigidTransform(torch.eye(3), torch.zeros(3))


def centred_affine(shape: tuple[int, int, int], spacing: tuple[float, float, float] | float) -> np.ndarray:
    """Return the RAS affine of a grid whose middle is at the scanner's origin."""
    steps = np.broadcast_to(np.asarray(spacing, float), 3)
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = -steps * (np.asarray(shape) - 1) / 2
    return affine


def place(
    subject: Subject,
    shape: tuple[int, int, int],
    affine: np.ndarray,
    *,
    transform: RigidTransform,
    n_subsamples: int = 2,
) -> Phantom:
    """
    Read a subject under the voxels of a grid.

    Parameters
    ----------
    subject : Subject
    shape : (int, int, int)
    affine : (4, 4) ndarray
        Voxels to scanner mm (RAS+).
    transform : RigidTransform
    n_subsamples : int
        Points per voxel and axis; partial volume is their mean.
    """
    device = subject.label_map.tissue.device
    to_mm = torch.tensor(affine, dtype=torch.float32, device=device)
    rotation, translation = transform.rotation.to(device), transform.translation.to(device)
    linear, offset = rotation @ to_mm[:3, :3], rotation @ to_mm[:3, 3] + translation
    axes = [torch.arange(n, device=device, dtype=torch.float32) for n in shape]
    steps = (torch.arange(n_subsamples, device=device) + 0.5) / n_subsamples - 0.5
    within = torch.stack(torch.meshgrid(steps, steps, steps, indexing="ij"), dim=-1).reshape(1, -1, 3) @ linear.T
    slab = max(1, _POINTS_AT_ONCE // (shape[1] * shape[2] * n_subsamples**3))
    voxels, tissues, all_factors = [], [], []
    for start in range(0, shape[0], slab):
        middles = torch.stack(torch.meshgrid(axes[0][start : start + slab], axes[1], axes[2], indexing="ij"), dim=-1)
        tissue, tissue_factors = subject.at((middles.reshape(-1, 1, 3) @ linear.T + offset) + within)
        kept = is_head(tissue).any(dim=1).nonzero()[:, 0]
        voxels.append(kept + start * shape[1] * shape[2])
        tissues.append(tissue[kept])
        all_factors.append(tissue_factors[:, kept])
    return Phantom(
        (shape[0], shape[1], shape[2]), affine, torch.cat(voxels), torch.cat(tissues), torch.cat(all_factors, dim=1)
    )


def random_receive_field(generator: torch.Generator, device: torch.device | str = "cpu") -> Field:
    """Draw the log of a coil's sensitivity, unit standard deviation; a site's `receive_strength` scales it."""
    return random_field(generator, n_channels=1, smoothness=50, spacing=16, device=device)


def scan(
    head: Phantom,
    site: Site,
    *,
    receive_field: Field | None = None,
    receive_strength: float | None = None,
    noise: torch.Generator | None = None,
) -> Tensor:
    """
    Return the volume a site would make of a phantom.

    Parameters
    ----------
    head : Phantom
    site : Site
    receive_field : Field, optional
        Log receive field; none means a homogeneous coil.
    receive_strength : float, optional
        Instead of the site's own: the truth carries the source's field.
    noise : torch.Generator, optional
        For the Rician noise; none means no noise.

    Returns
    -------
    volume : (I, J, K) Tensor
        In scanner units, at least 0.
    """
    volume = head.on_grid(_signal(head, site))
    return acquire(
        volume,
        head.affine,
        site,
        receive_field=receive_field,
        receive_strength=receive_strength,
        noise=noise,
    )


def acquire(
    signal: Tensor,
    affine: np.ndarray,
    site: Site,
    *,
    receive_field: Field | None = None,
    receive_strength: float | None = None,
    noise: torch.Generator | None = None,
) -> Tensor:
    """Return what a site's scanner makes of a signal: its resolution, receive field, noise and units.

    Parameters
    ----------
    signal : (I, J, K) Tensor
        In the units of `Sequence.signal`.
    affine : (4, 4) ndarray
        Voxels to scanner mm (RAS+).
    site, receive_field, receive_strength, noise
        See `scan`, as for what is returned.
    """
    volume = _blur(signal, affine, site)
    tissue_signals = _tissue_signals(site)
    if receive_field is not None:
        strength = site.receive_strength if receive_strength is None else receive_strength
        volume = volume * torch.exp(strength * receive_field.on_grid(tuple(signal.shape), affine))
    if noise is not None:
        sigma = tissue_signals[INDEX_OF["white_matter"]].item() / site.snr
        volume = _rician(volume, sigma, abs(float(np.linalg.det(affine[:3, :3]))), noise)
    return volume * (site.gain / tissue_signals.max().item())


def _signal(head: Phantom, site: Site) -> Tensor:
    """Return the signal of every kept voxel, (n,): the mean over its points (partial volume)."""
    device = head.tissue.device
    table = parameter_table(site.field_strength, device=device)
    gain = torch.tensor([site.tissue_gain.get(tissue.name, 1.0) for tissue in TISSUES], device=device)
    signal = torch.empty(len(head.tissue), device=device)
    slab = _POINTS_AT_ONCE // head.tissue.shape[1]
    for start in range(0, len(signal), slab):
        tissue = head.tissue[start : start + slab].long()
        t1_factor, pd_factor, pattern = head.tissue_factors[:, start : start + slab, None]
        pd, t1, t2, t2_star = table[tissue].unbind(dim=-1)
        b1 = 1 + site.transmit_strength * pattern
        at_points = site.sequence.signal(pd * pd_factor, t1 * t1_factor, t2, t2_star, b1) * gain[tissue]
        signal[start : start + slab] = at_points.mean(dim=1)
    return signal


def _tissue_signals(site: Site) -> Tensor:
    """Return the signal of each tissue on a perfect scanner, (n_tissues,)."""
    pd, t1, t2, t2_star = parameter_table(site.field_strength).unbind(dim=1)
    gain = torch.tensor([site.tissue_gain.get(tissue.name, 1.0) for tissue in TISSUES])
    return site.sequence.signal(pd, t1, t2, t2_star, 1.0) * gain


def _blur(volume: Tensor, affine: np.ndarray, site: Site) -> Tensor:
    """Blur along each axis by what the site's resolution is coarser than the voxels."""
    in_plane, thickness = site.resolution
    for axis in range(3):
        # The world axis this voxel axis runs along decides whether it is in the plane or across it.
        along = int(np.argmax(np.abs(affine[:3, axis])))
        spacing = float(np.linalg.norm(affine[:3, axis]))
        resolution = thickness if along == SLICE_AXIS[site.plane] else in_plane
        sigma = math.sqrt(max(resolution**2 - spacing**2, 0.0)) / _FWHM / spacing
        if sigma > 0.1:
            volume = gaussian_along(volume, axis, sigma)
    return volume


def _rician(signal: Tensor, sigma: float, voxel_volume: float, generator: torch.Generator) -> Tensor:
    """Return the magnitude of signal plus complex noise whose sigma is that of a voxel of 1 mm³.

    Coarse voxels stand for magnitudes of about 1 mm³ that were averaged afterwards: the noise floor stays.
    """

    def draw() -> Tensor:
        return torch.randn(signal.shape, generator=generator).to(signal.device)

    if voxel_volume <= 2:
        sigma = sigma / math.sqrt(voxel_volume)
        return torch.hypot(signal + sigma * draw(), sigma * draw())
    floor = sigma * math.sqrt(math.pi / 2)
    return (torch.hypot(signal, torch.tensor(floor)) + sigma / math.sqrt(voxel_volume) * draw()).clamp(min=0)
