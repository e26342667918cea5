"""Outlines of lesions: ellipsoids with an uneven surface, and the push that a growing mass gives to its surroundings.

All are in mm in the subject's own frame, as it is scanned: a mass has grown, its surroundings have moved.

Terms
-----
reach
    Of a point, seen from a lesion: 0 in its middle, 1 on its surface.
host
    Tissue that a lesion may replace.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hail_mri.simulation.fields import Field, random_field

UNEVENNESS = 0.12  # standard deviation of log reach over the surface
PUSH = 0.9  # share of the middle's own surroundings that moves out; below 1, or the map would fold
PUSH_WIDTH = 1.3  # of the push, in radii of the mass
_FARTHEST = 4.0  # widths, beyond which the push is below a micrometre


@dataclass(frozen=True)
class Lesion:
    """One lesion, or one part of a mass.

    Attributes
    ----------
    kind : str
        Such as "hyperintensity" or "mass rim"; what reports name.
    tissue : int
        Index into `ALL_TISSUES`.
    centre : (3,) Tensor
        mm.
    to_unit_ball : (3, 3) Tensor
        Takes mm from the centre to the unit ball.
    hosts : tuple of int
        Indices of the tissues that it replaces.
    outline : Field
        One channel, unit standard deviation: where the surface bulges.
    """

    kind: str
    tissue: int
    centre: Tensor
    to_unit_ball: Tensor
    hosts: tuple[int, ...]
    outline: Field

    def holds(self, points: Tensor, tissue: Tensor) -> Tensor:
        """Return which points lie inside, in tissue that it replaces.

        Parameters
        ----------
        points : (..., 3) Tensor
            mm.
        tissue : (...) Tensor, uint8
            What is there without the lesion.

        Returns
        -------
        inside : (...) Tensor, bool
        """
        reach = torch.linalg.norm((points - self.centre.to(points)) @ self.to_unit_ball.to(points).T, dim=-1)
        even = torch.zeros_like(reach)
        near = reach < 1 + 5 * UNEVENNESS  # the field is read where it matters
        even[near] = self.outline.at(points[near])[0]
        host = torch.zeros(256, dtype=torch.bool, device=points.device)
        host[list(self.hosts)] = True
        return (reach < torch.exp(UNEVENNESS * even)) & host[tissue.long()]


@dataclass(frozen=True)
class MassEffect:
    """The push of a mass: a smooth map that moves every point along its ray from the centre, and folds nowhere.

    Attributes
    ----------
    centre : (3,) Tensor
        mm.
    radius : float
        Of the mass, mm.
    """

    centre: Tensor
    radius: float

    def before(self, points: Tensor) -> Tensor:
        """Return where what is now at these points was before the mass grew.

        Parameters
        ----------
        points : (..., 3) Tensor
            mm.

        Returns
        -------
        points : (..., 3) Tensor
            A point at distance r from the centre comes from distance ``r (1 - PUSH exp(-(r / width)^2))``, which grows
            with r everywhere as PUSH < 1, so that no two points come from one place.

        Notes
        -----
        What was within half of the radius is replaced by the mass: an eighth of its volume. The rest moved aside.
        """
        offsets = points - self.centre.to(points)
        scaled = offsets.square().sum(dim=-1, keepdim=True) / (PUSH_WIDTH * self.radius) ** 2
        share = torch.where(scaled < _FARTHEST**2, PUSH * torch.exp(-scaled), torch.zeros_like(scaled))
        return points - share * offsets


def random_outline(generator: torch.Generator, *, smoothness: float) -> Field:
    """Draw how a subject's lesions bulge.

    Parameters
    ----------
    generator : torch.Generator
    smoothness : float
        mm.
    """
    return random_field(generator, n_channels=1, smoothness=smoothness, spacing=4.0)


def paint(lesions: tuple[Lesion, ...], points: Tensor, tissue: Tensor) -> tuple[Tensor, Tensor]:
    """Put lesions over what is there without them, in their order: a later one covers an earlier one.

    Parameters
    ----------
    lesions : tuple of Lesion
    points : (n, m, 3) Tensor
        m points in each of n voxels, mm.
    tissue : (n, m) Tensor, uint8

    Returns
    -------
    tissue : (n, m) Tensor, uint8
    number : (n, m) Tensor, uint8
        Of the lesion that is there, from 1; 0 where there is none.
    """
    painted, number = tissue.clone(), torch.zeros_like(tissue)
    for n, lesion in enumerate(lesions, start=1):
        radius = 1 / float(torch.linalg.svdvals(lesion.to_unit_ball)[-1])
        distance = torch.linalg.norm(points.mean(dim=1) - lesion.centre.to(points), dim=-1)
        near = (distance < 2 * radius + 4).nonzero()[:, 0]
        inside = lesion.holds(points[near], tissue[near])
        painted[near] = torch.where(inside, torch.tensor(lesion.tissue, dtype=tissue.dtype), painted[near])
        number[near] = torch.where(inside, torch.tensor(n, dtype=tissue.dtype), number[near])
    return painted, number
