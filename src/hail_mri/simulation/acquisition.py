"""Scanning: a phantom becomes the volume that a site would make of it.

Scanning the same phantom at two sites gives a travelling subject with the truth voxel by voxel.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from hail_mri.simulation.fields import Field, gaussian_along, random_field
from hail_mri.simulation.phantoms import POINTS_AT_ONCE, Phantom
from hail_mri.simulation.scanners import SLICE_AXIS, Site
from hail_mri.simulation.tissues import INDEX_OF, TISSUES, parameter_table

_FWHM = 2 * math.sqrt(2 * math.log(2))


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
    tissue_signals = signals_of_tissues(site)
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
    slab = POINTS_AT_ONCE // head.tissue.shape[1]
    for start in range(0, len(signal), slab):
        tissue = head.tissue[start : start + slab].long()
        t1_factor, pd_factor, pattern = head.tissue_factors[:, start : start + slab, None]
        pd, t1, t2, t2_star = table[tissue].unbind(dim=-1)
        b1 = 1 + site.transmit_strength * pattern
        at_points = site.sequence.signal(pd * pd_factor, t1 * t1_factor, t2, t2_star, b1) * gain[tissue]
        signal[start : start + slab] = at_points.mean(dim=1)
    return signal


def signals_of_tissues(site: Site) -> Tensor:
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
