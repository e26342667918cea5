"""Lesions of white matter."""

from __future__ import annotations

import torch
from torch import Tensor

from hail_mri.simulation.patches import Patch
from hail_mri.simulation.tissues import INDEX_OF, TISSUES
from hail_mri.training.augmentation.chances import uniform
from hail_mri.training.augmentation.missing_parts import NO_FLUID, tissue_share


def put_lesions(patch: Patch, spacing: float, generator: torch.Generator) -> Tensor:
    """Put one to five lesions into white matter; return the patch's counts with them."""
    white = (tissue_share(patch, (INDEX_OF["white_matter"],)) > 0.5).nonzero()
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
    inside &= tissue_share(patch, NO_FLUID) > 0.5
    lesion = torch.zeros(len(TISSUES), dtype=torch.uint8)
    lesion[INDEX_OF["lesion"]] = patch.n_points
    return torch.where(inside[..., None], lesion, counts)
