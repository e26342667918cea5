"""The style of a scan as a tissue network sees it: the mean intensity of each tissue class, and how well it is known.

The *class means* solve a least-squares problem, volume = sum of share times class mean, so that voxels shared by two
tissues blame neither for the other's intensity. The *volume fraction* of a class is its share of all that is measured.
The *error* of a class mean is the standard error of the fit, for as many independent voxels as there are in truth:
neighbouring voxels err alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

RIDGE = 1e-4  # pulls a class mean to the mean of its voxels; in units of the mean squared share of a class
SMALLEST_FRACTION = 1e-6  # of a class that is not there
VOXELS_ALIKE = 64.0  # neighbouring voxels that err alike: blocks of 8 mm
UNKNOWN = 1.0  # error of the mean of a class that is not there; the scale is one on which white matter is 0.6


@dataclass(frozen=True)
class TissueStyle:
    """Class means of a scan on its [0, 1] scale.

    Attributes
    ----------
    means, errors, fractions : (n_classes,) Tensor, float64
        Mean intensity, its standard error, and volume fraction of each class.
    """

    means: Tensor
    errors: Tensor
    fractions: Tensor


def measure_tissue_style(shares: Tensor, volume: Tensor, weight: Tensor) -> TissueStyle:
    """
    Measure the style of a scan.

    Parameters
    ----------
    shares : (n_classes, n) Tensor
        Tissue map of n voxels; adds up to 1 over the classes.
    volume, weight : (n,) Tensor
        Intensities, and how much each voxel counts; the weight is not 0 everywhere.

    Returns
    -------
    style : TissueStyle

    Notes
    -----
    Computed in double precision, a class after the other: the same bits whatever the number of threads.
    """
    values, w = volume.double(), weight.double()
    maps = shares.double()
    weighted = maps * w
    total = w.sum()
    products, moments = weighted @ maps.T / total, weighted @ values / total
    fractions = weighted.sum(dim=1) / total
    plain = moments / fractions.clamp(min=SMALLEST_FRACTION)
    normal = products + RIDGE * torch.eye(len(maps), dtype=torch.float64, device=maps.device)
    means = torch.linalg.solve(normal, moments + RIDGE * plain)
    residual = values - means @ maps
    variance = (w * residual**2).sum() / total
    covariance = torch.linalg.inv(normal) * variance * VOXELS_ALIKE / total
    errors = covariance.diagonal().clamp(min=0).sqrt().clamp(max=UNKNOWN)
    errors = torch.where(fractions > SMALLEST_FRACTION, errors, UNKNOWN)
    return TissueStyle(means, errors, fractions.clamp(min=SMALLEST_FRACTION))
