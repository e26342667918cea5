"""Subjects: a label map deformed into a new head, with the texture and the transmit pattern that travel with it.

Everything random about a subject comes from its seed: the same subject at two sites has the same tissue texture.
Lesions (`lesions`) travel with it, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hail_mri.simulation.fields import Field, random_field
from hail_mri.simulation.label_maps import LabelMap
from hail_mri.simulation.lesions.outlines import Lesion, MassEffect, paint
from hail_mri.simulation.lesions.pathologies import ALL_TISSUES, FIRST_PATHOLOGY
from hail_mri.simulation.tissues import AIR, INDEX_OF, SOFT_TISSUE

T1_TEXTURE = 0.035  # relative standard deviation of T1 within a tissue
PD_TEXTURE = 0.015  # the same of proton density
SOFT_TISSUE_LIMITS = (-0.4, 0.1)  # of the texture: muscle below, fat above, skin-like connective tissue between


@dataclass(frozen=True)
class Subject:
    """A head that can be scanned anywhere.

    Attributes
    ----------
    label_map : LabelMap
    shape : (3, 3) Tensor
        Linear part of the deformation.
    displacement : Field
        Three channels, mm.
    texture : Field
        Channels: log T1, log PD (unit standard deviation), fat against muscle.
    transmit : Field
        One channel: pattern of the transmit field, unit standard deviation.
    lesions : tuple of Lesion
        A later one covers an earlier one.
    mass_effects : tuple of MassEffect
        In the order in which the masses grew.
    """

    label_map: LabelMap
    shape: Tensor
    displacement: Field
    texture: Field
    transmit: Field
    lesions: tuple[Lesion, ...] = ()
    mass_effects: tuple[MassEffect, ...] = ()

    def at(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """
        Return what is at each point of the subject's own frame.

        The smooth fields are read once per voxel; the tissue at each of the voxel's points.

        Parameters
        ----------
        points : (n, m, 3) Tensor
            m points in each of n voxels, mm.

        Returns
        -------
        tissue : (n, m) Tensor, uint8
        tissue_factors : (3, n) Tensor
            Factors on T1 and PD, and the transmit pattern.
        """
        before = self._before_masses(points)
        tissue, (t1, pd, _) = self._healthy(before)
        if self.lesions:
            tissue, _ = paint(self.lesions, points, tissue)
        transmit = self.transmit.at(points.mean(dim=1))[0]
        return tissue, torch.stack([torch.exp(T1_TEXTURE * t1), torch.exp(PD_TEXTURE * pd), transmit])

    def lesion_at(self, points: Tensor) -> Tensor:
        """
        Return which lesion is at each point.

        Parameters
        ----------
        points : (n, m, 3) Tensor
            m points in each of n voxels, mm.

        Returns
        -------
        number : (n, m) Tensor, uint8
            From 1, in the order of `lesions`; 0 where there is none.
        """
        tissue, _ = self._healthy(self._before_masses(points))
        return paint(self.lesions, points, tissue)[1]

    def _before_masses(self, points: Tensor) -> Tensor:
        """Return where what is at these points was before masses grew."""
        for effect in reversed(self.mass_effects):
            points = effect.before(points)
        return points

    def _healthy(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return tissue (n, m) and texture (3, n) without lesions."""
        middles = points.mean(dim=1)
        displaced = points @ self.shape.T + self.displacement.at(middles).T[:, None]
        tissue = self.label_map.at(displaced.reshape(-1, 3)).reshape(points.shape[:2])
        texture = self.texture.at(middles)
        return torch.where(tissue == SOFT_TISSUE, _soft_tissue(texture[2])[:, None].to(tissue.dtype), tissue), texture


def new_subject(label_map: LabelMap, seed: int, *, deformation: float = 1.0) -> Subject:
    """
    Make a subject of a label map.

    Parameters
    ----------
    label_map : LabelMap
    seed : int
    deformation : float
        0 keeps the label map's own shape; 1 scales each axis by about 5 % and bends by about 4 mm.
    """
    generator = torch.Generator().manual_seed(seed)
    device = label_map.tissue.device
    scale = 1 + deformation * 0.05 * torch.randn(3, generator=generator).clamp(-2, 2)
    shear = deformation * 0.02 * torch.randn(3, 3, generator=generator)
    displacement = random_field(generator, n_channels=3, smoothness=28, spacing=12, device=device)
    coarse = random_field(generator, n_channels=3, smoothness=9, spacing=4, device=device)
    fine = random_field(generator, n_channels=3, smoothness=4, spacing=4, device=device)
    mixed = (coarse.values + fine.values) / 2**0.5
    transmit = random_field(generator, n_channels=1, smoothness=45, spacing=16, device=device)
    return Subject(
        label_map,
        (torch.diag(scale) + shear - torch.diag(torch.diag(shear))).to(device),
        Field(4.0 * deformation * displacement.values, displacement.origin, displacement.spacing),
        Field(mixed, coarse.origin, coarse.spacing),
        _centre_bright(transmit),
    )


def _centre_bright(field: Field) -> Field:
    """Add the centre brightening that a head has at 3 T to a random pattern."""
    axis = torch.linspace(-1, 1, field.values.shape[1], device=field.values.device)
    x, y, z = torch.meshgrid(axis, axis, axis, indexing="ij")
    brightening = 2 * torch.exp(-((x**2 + y**2 + z**2) / 0.5**2)) - 1
    return Field(0.6 * field.values + brightening, field.origin, field.spacing)


def _soft_tissue(texture: Tensor) -> Tensor:
    """Split soft tissue into muscle, connective tissue and fat."""
    low, high = SOFT_TISSUE_LIMITS
    softer = torch.where(texture > high, INDEX_OF["fat"], INDEX_OF["skin"])
    return torch.where(texture < low, INDEX_OF["muscle"], softer)


def is_head(tissue: Tensor) -> Tensor:
    """Return where there is tissue."""
    return tissue != AIR


def is_brain(tissue: Tensor) -> Tensor:
    """Return where the tissue is inside the skull: brain and the fluid around it, without vessels and optic nerves."""
    inside = torch.zeros(len(ALL_TISSUES), dtype=torch.bool, device=tissue.device)
    inside[1 : INDEX_OF["csf"] + 1] = True
    inside[FIRST_PATHOLOGY:] = True
    inside[INDEX_OF["optic_nerve"]] = False
    return inside[tissue.long()]
