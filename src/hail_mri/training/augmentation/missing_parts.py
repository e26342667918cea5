"""What a scan lacks: its skull, its face, what lies outside the field of view. Each returns what is kept."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from hail_mri.simulation.patches import Patch
from hail_mri.simulation.tissues import INDEX_OF
from hail_mri.training.augmentation.chances import chance, uniform

INSIDE_SKULL = tuple(range(1, INDEX_OF["csf"] + 1))
NO_FLUID = tuple(index for index in INSIDE_SKULL if index != INDEX_OF["csf"])

# How often the skull is gone in source and target.
STRIPPED = {(False, False): 0.65, (True, True): 0.19, (True, False): 0.08, (False, True): 0.08}


def strip_skull(patch: Patch, generator: torch.Generator) -> Tensor:
    """Draw what a skull-stripping tool keeps, (I, J, K) bool: with the fluid around the brain, or hardly any of it."""
    with_fluid = chance(0.5, generator)
    share = tissue_share(patch, INSIDE_SKULL if with_fluid else NO_FLUID)
    if not with_fluid:
        share = F.max_pool3d(share[None, None], 3, 1, 1)[0, 0]
        share = share * (tissue_share(patch, INSIDE_SKULL) > 0)
    return share > uniform(0.2, 0.8, generator)


def deface(patch: Patch, corner: Tensor, spacing: float, generator: torch.Generator) -> Tensor:
    """Draw what a defacing tool keeps, (I, J, K) bool: all but what lies low in front, away from the brain."""
    brain = (tissue_share(patch, INSIDE_SKULL) > 0).float()[None, None]
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


def tissue_share(patch: Patch, tissues: tuple[int, ...]) -> Tensor:
    """Return the share of some tissues in each voxel, (I, J, K); air is what is left when all else is taken away."""
    return patch.counts[..., list(tissues)].sum(dim=-1).float() / patch.n_points


def choose_stripped(generator: torch.Generator) -> tuple[bool, bool]:
    """Draw whether source and target are skull-stripped."""
    choice = torch.multinomial(torch.tensor(list(STRIPPED.values())), 1, generator=generator)
    return list(STRIPPED)[int(choice)]


def random_field_of_view(
    shape: tuple[int, int, int], generator: torch.Generator
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Draw the first voxel of a field of view, and that behind its last: a third of the scans lose neck or margin."""
    starts, ends = [0, 0, 0], list(shape)
    lost, axis, side, share = torch.rand(4, generator=generator).tolist()
    if lost <= 1 / 3:
        # The lower end (the neck) is what is usually cut, and deepest.
        along, low_end = (2, True) if axis < 0.7 else (int(side * 3), share < 0.5)
        n_lost = int(share * shape[along] * (0.35 if along == 2 and low_end else 0.15))
        if low_end:
            starts[along] = n_lost
        else:
            ends[along] -= n_lost
    return (starts[0], starts[1], starts[2]), (ends[0], ends[1], ends[2])
