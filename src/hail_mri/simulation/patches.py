"""Patches of a phantom, scanned quickly: the signal of a tissue as a table with first-order terms.

`acquisition.scan` evaluates the signal equation at every point of every voxel. Within one tissue, T1 and the transmit
field vary by a few per cent, where the equation is nearly a straight line: here it is evaluated three times a tissue.
That is what training needs, thousands of times; a study uses `acquisition.scan`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hail_mri.simulation.phantoms import Phantom
from hail_mri.simulation.scanners import Site
from hail_mri.simulation.tissues import AIR, TISSUES, parameter_table

_STEP = 0.05  # of T1 and of the transmit field, relative; the difference quotient is taken over twice this


@dataclass(frozen=True)
class Patch:
    """A box of a phantom.

    Attributes
    ----------
    counts : (I, J, K, n_tissues) Tensor, uint8
        How many of a voxel's points hold each tissue.
    tissue_factors : (3, I, J, K) Tensor
        Factors on T1 and PD, and the transmit pattern (1, 1, 0 in air).
    n_points : int
        Points a voxel.
    """

    counts: Tensor
    tissue_factors: Tensor
    n_points: int


def cut_patch(head: Phantom, starts: tuple[int, int, int], shape: tuple[int, int, int]) -> Patch:
    """
    Cut a box out of a phantom.

    Parameters
    ----------
    head : Phantom
    starts, shape : (int, int, int)
        In voxels; what lies outside the phantom's grid is air.
    """
    n_points, n_tissues = head.tissue.shape[1], len(TISSUES)
    plane = head.shape[1] * head.shape[2]
    # The kept voxels are sorted, so that the planes of the patch are one stretch of them.
    planes = torch.tensor([starts[0] * plane, (starts[0] + shape[0]) * plane])
    first, last = torch.searchsorted(head.voxels, planes).tolist()
    flat = head.voxels[first:last]
    index = torch.stack([flat // plane - starts[0], flat % plane // head.shape[2], flat % head.shape[2]])
    index[1] -= starts[1]
    index[2] -= starts[2]
    inside = ((index[1:] >= 0) & (index[1:] < torch.tensor(shape[1:])[:, None])).all(dim=0)
    index = index[:, inside]
    places = (index[0] * shape[1] + index[1]) * shape[2] + index[2]
    counts = torch.zeros(*shape, n_tissues, dtype=torch.uint8)
    flat_counts = counts.view(-1, n_tissues)
    flat_counts[:, AIR] = n_points
    flat_counts[places, AIR] = 0
    tissue = head.tissue[first:last][inside].long() + places[:, None] * n_tissues
    flat_counts.view(-1).scatter_add_(0, tissue.flatten(), torch.ones(tissue.numel(), dtype=torch.uint8))
    tissue_factors = torch.ones(3, *shape)
    tissue_factors[2] = 0
    tissue_factors.view(3, -1)[:, places] = head.tissue_factors[:, first:last][:, inside].float()
    return Patch(counts, tissue_factors, n_points)


def patch_signal(patch: Patch, site: Site, gain: Tensor | None = None) -> Tensor:
    """
    Return the signal a site would see, before blurring, receive field and noise.

    Parameters
    ----------
    patch : Patch
    site : Site
    gain : (n_tissues,) Tensor, optional
        Factors on the tissues' signals, beside the site's own.

    Returns
    -------
    signal : (I, J, K) Tensor
        At least 0; in the units of `Sequence.signal`.
    """
    table = signal_table(site)
    if gain is not None:
        table = table * gain[:, None]
    at_nominal, per_t1, per_b1 = (patch.counts.float() @ (table / patch.n_points)).unbind(dim=-1)
    t1, pd, pattern = patch.tissue_factors
    return (pd * (at_nominal + per_t1 * (t1 - 1) + per_b1 * (site.transmit_strength * pattern))).clamp(min=0)


def signal_table(site: Site) -> Tensor:
    """
    Return each tissue's signal, and its slopes over relative T1 and over the transmit field.

    Parameters
    ----------
    site : Site

    Returns
    -------
    table : (n_tissues, 3) Tensor
    """
    pd, t1, t2, t2_star = parameter_table(site.field_strength).unbind(dim=1)
    own = torch.tensor([site.tissue_gain.get(tissue.name, 1.0) for tissue in TISSUES])

    def signal(t1_factor: float, b1: float) -> Tensor:
        return site.sequence.signal(pd, t1 * t1_factor, t2, t2_star, torch.tensor(b1)) * own

    per_t1 = (signal(1 + _STEP, 1.0) - signal(1 - _STEP, 1.0)) / (2 * _STEP)
    per_b1 = (signal(1.0, 1 + _STEP) - signal(1.0, 1 - _STEP)) / (2 * _STEP)
    return torch.stack([signal(1.0, 1.0), per_t1, per_b1], dim=1)
