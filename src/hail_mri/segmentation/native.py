"""A tissue map on the voxels of the scan itself.

The map of the network grid, interpolated, is the prior of each native voxel; its own intensity, without the receive
bias field, decides between the tissues that the prior allows. So borders follow the scan at its own resolution and not
the network grid, and no tissue appears where the map has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hail_mri.image.separable import along_axes
from hail_mri.model.tissue_classes import BACKGROUND, BRAIN
from hail_mri.model.tissue_fit import TissueFit
from hail_mri.model.tissue_style import purity
from hail_mri.preprocess.prepare import Prepared

Slab = tuple[slice, slice, slice]

PLANES = 16  # native planes done at once; bounds the memory
SAMPLING = 3  # every so many slabs of planes are enough for the deviation of a class
SMALLEST_DEVIATION = 0.02  # on the [0, 1] scale: noise and texture


@dataclass(frozen=True)
class NativePriors:
    """What is known of the tissues of native voxels before their intensities are looked at.

    Parameters
    ----------
    prepared : Prepared
        The scan.
    fit : TissueFit
        Its tissue map, on the network grid and the scan's [0, 1] scale.
    brain : (i, j, k) bool ndarray
        Brain mask on the network grid; tissues of the brain are found inside only.
    """

    prepared: Prepared
    fit: TissueFit
    brain: NDArray[np.bool_]

    def slabs(self, step: int = 1) -> Iterator[Slab]:
        """Yield the parts of the native grid that the network grid covers, one after the other.

        Parameters
        ----------
        step : int
            1 yields all of them, n every n-th.
        """
        covered = [np.flatnonzero(matrix.any(axis=0)) for matrix in self.prepared.to_network]
        box = [slice(int(voxels[0]), int(voxels[-1]) + 1) for voxels in covered]
        for start in range(box[0].start, box[0].stop, PLANES * step):
            yield slice(start, min(start + PLANES, box[0].stop)), box[1], box[2]

    def at(self, slab: Slab) -> tuple[Tensor, Tensor]:
        """Return prior (n_classes, n) and intensity without receive bias field (n,) of the voxels of a slab."""
        matrices = [torch.from_numpy(matrix[part]) for matrix, part in zip(self.prepared.to_native, slab, strict=True)]
        maps = torch.cat(
            [self.fit.tissue_map, torch.log(self.fit.field)[None], torch.from_numpy(self.brain)[None].float()]
        )
        maps = along_axes(maps, matrices)
        *_, log_field, inside = maps
        prior = maps[:-2]
        prior[list(BRAIN)] *= (inside > 0.5).to(prior.dtype)
        prior[BACKGROUND] += 1 - prior.sum(dim=0)
        scaled = self.prepared.scale.apply(self.prepared.canonical.data[slab])
        values = torch.from_numpy(np.ascontiguousarray(scaled)) * torch.exp(-log_field)
        return prior.flatten(1).clamp(min=0), values.flatten()


def class_deviations(priors: NativePriors) -> Tensor:
    """
    Measure how far the native voxels of a class spread around its mean.

    Parameters
    ----------
    priors : NativePriors

    Returns
    -------
    deviations : (n_classes,) Tensor
        Standard deviations on the [0, 1] scale.
    """
    means = _means(priors.fit)
    squares, totals = torch.zeros_like(means), torch.full_like(means, 1e-6)
    for slab in priors.slabs(SAMPLING):
        prior, values = priors.at(slab)
        pure = purity(prior)
        squares += (pure * (values - means[:, None]) ** 2).sum(dim=1)
        totals += pure.sum(dim=1)
    return (squares / totals).sqrt().clamp(min=SMALLEST_DEVIATION)


def native_probabilities(priors: NativePriors, deviations: Tensor, slab: Slab) -> NDArray[np.float32]:
    """
    Return the probability of each tissue in each voxel of a slab.

    Parameters
    ----------
    priors : NativePriors
    deviations : (n_classes,) Tensor
        As `class_deviations` measures them.
    slab : three slices
        One of `NativePriors.slabs`.

    Returns
    -------
    probabilities : (n_classes, I, J, K) ndarray of float32
        Adding up to 1.
    """
    prior, values = priors.at(slab)
    distance = (values - _means(priors.fit)[:, None]) / deviations[:, None]
    logits = torch.log(prior) - 0.5 * distance**2 - torch.log(deviations)[:, None]
    shape = priors.prepared.canonical.data[slab].shape
    return np.asarray(torch.softmax(logits, dim=0).reshape(-1, *shape).numpy())


def native_mask(prepared: Prepared, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """
    Carry a mask from the network grid to the native one.

    Parameters
    ----------
    prepared : Prepared
    mask : (i, j, k) bool ndarray

    Returns
    -------
    native : (I, J, K) bool ndarray
        Interpolated linearly and cut at one half; False outside the network grid.
    """
    inside = along_axes(mask.astype(np.float32), prepared.to_native) > 0.5
    for axis, matrix in enumerate(prepared.to_network):
        inside &= np.expand_dims(matrix.any(axis=0), [other for other in range(3) if other != axis])
    return np.asarray(inside)


def _means(fit: TissueFit) -> Tensor:
    """Return the class means of a fit as a tensor."""
    return torch.tensor(fit.style.means, dtype=torch.float32)
