"""Region-wise style: the levels of soft tissue regions in place of the statistics of feature channels.

A network with *regions* ends in soft maps of tissues (they add up to 1 in every voxel). The style of a volume is the
intensity *level* of each region; exchanging levels draws the volume in another style. It is instance normalization with
the statistics of regions instead of whole channels: p and r differ by exactly what the two scans say about each tissue.

The levels solve a least-squares problem, volume = sum of regions times levels, so that voxels shared by two tissues
blame neither for the other's intensity.
"""

import torch
from torch import Tensor

from hail_mri.model.adain import Statistics

RIDGE = 1e-4  # pulls a level to the region's mean; in units of the mean squared share of a region
SMALLEST_SHARE = 1e-6  # a region that is not there has this share, so that styles can say so
TRUSTED_SHARE = 1e-3  # of the volume; of the style of a much smaller region nothing is taken over


def region_sums(regions: Tensor, volume: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """
    Return what the levels are computed from; the sums of tiles may be added up.

    Parameters
    ----------
    regions : (B, K, I, J, K) Tensor
        Soft maps that add up to 1.
    volume, weight : (B, 1, I, J, K) Tensor

    Returns
    -------
    products, moments, shares : (B, K, K), (B, K, 1), (B, K, 1) Tensor
        Sums over voxels of region times region, region times volume, and region.
    """
    weighted = regions.flatten(2) * weight.flatten(2)
    products = weighted @ regions.flatten(2).transpose(1, 2)
    moments = weighted @ volume.flatten(2).transpose(1, 2)
    return products, moments, weighted.sum(dim=2, keepdim=True)


def region_statistics(products: Tensor, moments: Tensor, shares: Tensor) -> Statistics:
    """
    Return the level and the share of each region.

    Parameters
    ----------
    products, moments, shares : Tensor
        See `region_sums`.

    Returns
    -------
    style : Statistics
        `mean` holds the levels, `std` the shares of the volume, each (B, K).
    """
    total = shares.sum(dim=1, keepdim=True)
    products, moments, shares = products / total, moments / total, shares / total
    ridge = RIDGE * torch.eye(products.shape[1], dtype=products.dtype, device=products.device)
    means = moments / shares.clamp(min=SMALLEST_SHARE)
    levels = torch.linalg.solve(products + ridge, moments + RIDGE * means)
    return Statistics(levels[..., 0], shares[..., 0].clamp(min=SMALLEST_SHARE))


def draw_regions(regions: Tensor, own: Statistics, style: Statistics) -> Tensor:
    """
    Draw regions with the levels of a style; a region that the style hardly has keeps its own level.

    Parameters
    ----------
    regions : (B, K, I, J, K) Tensor
    own, style : Statistics
        See `region_statistics`; with `own` for both, the volume is drawn as itself.

    Returns
    -------
    drawn : (B, 1, I, J, K) Tensor
    """
    trust = style.std / (style.std + TRUSTED_SHARE)
    levels = own.mean + trust * (style.mean - own.mean)
    return torch.einsum("bkxyz,bk->bxyz", regions, levels)[:, None]
