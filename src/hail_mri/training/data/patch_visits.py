"""A box of a head in a scanner, and its scan on the [0, 1] scale.

The phantom is cut first and only the box is scanned, but the scan is that of the whole head, noise aside: the coil's
field is read where the box lies, a margin is blurred with it, and the scale is that of the whole head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hail_mri.model.tissue_classes import BRAIN
from hail_mri.preprocess.prepare import WHITE_MATTER
from hail_mri.simulation.acquisition import acquire
from hail_mri.simulation.fields import Field
from hail_mri.simulation.patches import Patch, cut_patch, patch_signal, signal_table
from hail_mri.simulation.scanners import Site
from hail_mri.simulation.tissues import AIR, INDEX_OF, TISSUES, classes_of_tissues
from hail_mri.training.data.tissue_counts import class_counts, counts_left
from hail_mri.training.data.views import Box, View

BLUR_MM = 5.1  # three standard deviations of slices of 4 mm, the thickest of `random_site`
CLOSING = 2  # voxels that the closing of the head mask reaches
N_SAMPLED = 20_000  # voxels of a head, about, among which white matter is looked for


@dataclass(frozen=True)
class Coil:
    """The log of a coil's sensitivity, of unit standard deviation, and the strength it has."""

    field: Field
    strength: float


@dataclass(frozen=True)
class Contrast:
    """What a site does to contrast: its protocol, and a smooth curve on its intensities that no equation has."""

    site: Site
    gamma: float


@dataclass(frozen=True)
class PatchVisit:
    """A box of a head that lies in a scanner.

    Attributes
    ----------
    view : View
        What the scan shows of the whole head.
    box : Box
        What is wanted.
    coil : Coil
    """

    view: View
    box: Box
    coil: Coil

    @property
    def outer(self) -> Box:
        """The box with all that has a share in it."""
        spacing = float(self.view.head.affine[0, 0])
        return self.box.grown(max(CLOSING, math.ceil(BLUR_MM / spacing)), within=self.view.head.shape)


@dataclass(frozen=True)
class Shown:
    """What is known of the box without scanning it.

    Attributes
    ----------
    keep : (I, J, K) Tensor, bool
        What the scan shows.
    weight : (I, J, K) Tensor
        Where a head mask would be, 0 or 1.
    tissue_counts : (I, J, K, n_classes) Tensor, uint8
        What is not shown is background.
    """

    keep: Tensor
    weight: Tensor
    tissue_counts: Tensor


def cut_visit(visit: PatchVisit) -> Patch:
    """Cut the phantom to the visit's box and its margin."""
    return cut_patch(visit.view.head, visit.outer.starts, visit.outer.shape)


def shown_in(visit: PatchVisit, patch: Patch) -> Shown:
    """
    Return what is known of the box.

    Parameters
    ----------
    visit : PatchVisit
    patch : Patch
        See `cut_visit`.
    """
    brain = _most_of(patch, torch.isin(classes_of_tissues(), torch.tensor(BRAIN)))
    mask = brain.float()
    if not visit.view.stripped:  # tissue with its small holes closed
        head = _most_of(patch, torch.arange(len(TISSUES)) != AIR)
        mask = -F.max_pool3d(-F.max_pool3d(head.float()[None], 3, 1, 1), 3, 1, 1)[0]
    seen = _mask_of(visit.view.field_of_view, visit.outer)
    keep = seen & brain if visit.view.stripped else seen
    inner = visit.box.slices_in(visit.outer)
    box = Patch(patch.counts[inner], patch.tissue_factors[(slice(None), *inner)], patch.n_points)
    return Shown(keep[inner], (mask * seen)[inner], class_counts(counts_left(box, keep[inner])))


def scan_visit(visit: PatchVisit, patch: Patch, contrast: Contrast, *, noise: torch.Generator | None = None) -> Tensor:
    """
    Scan the box.

    Parameters
    ----------
    visit : PatchVisit
    patch : Patch
        See `cut_visit`.
    contrast : Contrast
    noise : torch.Generator, optional
        None means no noise.

    Returns
    -------
    volume : (I, J, K) Tensor
        White matter of the whole head is at `WHITE_MATTER`, as `prepare` makes it: see `white_matter_intensity`.
    """
    site = _in_units_of_the_signal(contrast.site)
    affine = visit.view.head.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array(visit.outer.starts)
    volume = acquire(
        patch_signal(patch, site),
        affine,
        site,
        receive_field=visit.coil.field,
        receive_strength=visit.coil.strength,
        noise=noise,
    )[visit.box.slices_in(visit.outer)]
    return WHITE_MATTER * (volume / white_matter_intensity(visit.view, contrast.site, visit.coil)) ** contrast.gamma


def white_matter_intensity(view: View, site: Site, coil: Coil) -> float:
    """
    Return what is scaled to `WHITE_MATTER`: the median of the white matter of the whole head under the coil.

    A patch may hold no white matter, and what `prepare` estimates it from (the middle of the head) lies elsewhere. The
    simulation knows where white matter is, and what signal and which coil's field it has there, so that a few
    thousand voxels of the phantom tell what a scan of the whole head would. No two scans of a site are equally bright,
    as coils differ: that is why it is known for each scan, not for each site.

    Parameters
    ----------
    view : View
    site : Site
    coil : Coil

    Returns
    -------
    intensity : float
        In the units of `Sequence.signal`.
    """
    head, white = view.head, INDEX_OF["white_matter"]
    rows = torch.arange(0, len(head.voxels), max(1, len(head.voxels) // N_SAMPLED))
    n_white = (head.tissue[rows] == white).sum(dim=1)
    rows = rows[n_white == n_white.max()]
    counts = torch.zeros(len(rows), 1, 1, len(TISSUES), dtype=torch.uint8)
    counts[..., white] = head.tissue.shape[1]
    pure = Patch(counts, head.tissue_factors[:, rows, None, None].float(), head.tissue.shape[1])
    to_mm = torch.tensor(head.affine, dtype=torch.float32)
    receive_field = coil.field.at(view.index(rows).float() @ to_mm[:3, :3].T + to_mm[:3, 3])[0]
    signal = patch_signal(pure, site)[:, 0, 0] * torch.exp(coil.strength * receive_field)
    return max(float(signal.median()), 1e-6)


def _in_units_of_the_signal(site: Site) -> Site:
    """Return the site with scanner units that are those of `Sequence.signal`."""
    return replace(site, gain=float(signal_table(site)[:, 0].max()))


def _most_of(patch: Patch, tissues: Tensor) -> Tensor:
    """Return where more than half of a voxel is of some tissues, (I, J, K) bool."""
    return patch.counts[..., tissues].sum(dim=-1) > patch.n_points / 2


def _mask_of(box: Box, outer: Box) -> Tensor:
    """Return which voxels of the outer box are in the other, (I, J, K) bool."""
    i, j, k = (
        (torch.arange(first, last) >= start) & (torch.arange(first, last) < end)
        for first, last, start, end in zip(outer.starts, outer.ends, box.starts, box.ends, strict=True)
    )
    return i[:, None, None] & j[:, None] & k
