"""Phantoms: a subject lies in a scanner, and its tissues are read under the voxels of a grid, once.

What is read on a grid finer than its voxels is the partial volume of every scan that is made of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hail_mri.simulation.lesions.pathologies import ALL_TISSUES
from hail_mri.simulation.subjects import Subject, is_brain, is_head
from hail_mri.simulation.tissues import INDEX_OF

POINTS_AT_ONCE = 1 << 22  # bounds the memory of reading and scanning


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
        for index in range(len(ALL_TISSUES)):
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
    linear, offset = _to_subject(affine, transform, device)
    axes = [torch.arange(n, device=device, dtype=torch.float32) for n in shape]
    within = _within_voxel(n_subsamples, linear)
    slab = max(1, POINTS_AT_ONCE // (shape[1] * shape[2] * n_subsamples**3))
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


def voxel_points(head: Phantom, voxels: Tensor, transform: RigidTransform) -> Tensor:
    """
    Return the points at which voxels of a phantom were read.

    Parameters
    ----------
    head : Phantom
    voxels : (n,) Tensor
        Flat indices into its grid.
    transform : RigidTransform
        With which it was placed.

    Returns
    -------
    points : (n, m, 3) Tensor
        mm, in the subject's frame.
    """
    linear, offset = _to_subject(head.affine, transform, voxels.device)
    plane = head.shape[1] * head.shape[2]
    middles = torch.stack([voxels // plane, voxels % plane // head.shape[2], voxels % head.shape[2]], dim=-1).float()
    return (middles[:, None] @ linear.T + offset) + _within_voxel(round(head.tissue.shape[1] ** (1 / 3)), linear)


def _to_subject(affine: np.ndarray, transform: RigidTransform, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the linear part and the offset of the map from voxels to mm of the subject's frame."""
    to_mm = torch.tensor(affine, dtype=torch.float32, device=device)
    rotation, translation = transform.rotation.to(device), transform.translation.to(device)
    return rotation @ to_mm[:3, :3], rotation @ to_mm[:3, 3] + translation


def _within_voxel(n_subsamples: int, linear: Tensor) -> Tensor:
    """Return the points of a voxel, (1, m, 3), from its middle, mm."""
    steps = (torch.arange(n_subsamples, device=linear.device) + 0.5) / n_subsamples - 0.5
    return torch.stack(torch.meshgrid(steps, steps, steps, indexing="ij"), dim=-1).reshape(1, -1, 3) @ linear.T
