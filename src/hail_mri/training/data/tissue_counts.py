"""What the voxels of a sample hold, counted in the points the phantom has in each."""

from __future__ import annotations

import torch
from torch import Tensor

from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.simulation.patches import Patch
from hail_mri.simulation.tissues import AIR, classes_of_tissues


def counts_left(patch: Patch, keep: Tensor) -> Tensor:
    """Return the tissue counts of what a scan keeps of a patch: the rest is air.

    Parameters
    ----------
    patch : Patch
    keep : (I, J, K) Tensor, bool

    Returns
    -------
    counts : (I, J, K, n_tissues) Tensor, uint8
    """
    counts = torch.where(keep[..., None], patch.counts, torch.zeros_like(patch.counts))
    counts[..., AIR] += (~keep).to(torch.uint8) * patch.n_points
    return counts


def class_counts(counts: Tensor) -> Tensor:
    """Add up the tissues of each class.

    Parameters
    ----------
    counts : (I, J, K, n_tissues) Tensor, uint8

    Returns
    -------
    counts : (I, J, K, n_classes) Tensor, uint8
    """
    classes = torch.zeros(*counts.shape[:-1], len(TISSUE_CLASSES), dtype=torch.uint8)
    return classes.index_add_(3, classes_of_tissues(), counts)
