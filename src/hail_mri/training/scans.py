"""Single scans with their tissue maps: what the tissue network learns from.

A phantom of the store is cut to a random patch, scanned at a random site, and spoilt in the ways real scans are spoilt
(`defects`). The map is what the phantom holds, so nothing has to be labelled.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.preprocess.prepare import CEILING, WHITE_MATTER
from hail_mri.simulation.acquisition import PlacedHead
from hail_mri.simulation.patches import Patch, cut_patch, patch_signal, signal_table
from hail_mri.simulation.scanners import Site, random_site
from hail_mri.simulation.tissues import AIR, INDEX_OF, TISSUES, classes_of_tissues
from hail_mri.training.defects import (
    blur,
    chance,
    cut_field_of_view,
    deface,
    put_lesions,
    receive_field,
    rician,
    ring,
    strip_skull,
    uniform,
)
from hail_mri.training.heads import load_head

MARGIN = 8  # voxels of the patch that may lie outside the phantom's grid
SCALE_ERROR = 0.07  # standard deviation of the log of the white-matter intensity that a scan is scaled by
WILD_SCALE_ERROR = 0.25  # the same, of one scan in ten
WILD_GAIN = 0.35  # standard deviation of the log of all tissues' signals, of one scan in three


class TissueExample(NamedTuple):
    """A scan and its map.

    Attributes
    ----------
    volume : (1, I, J, K) Tensor
        On the [0, 1] scale of `prepare`, cut off at its ceiling.
    counts : (I, J, K, n_classes) Tensor, uint8
        How many of the points in each voxel are of each class; their sum is the same everywhere.
    """

    volume: Tensor
    counts: Tensor


class RandomSiteScans(Dataset[TissueExample]):
    """Scans drawn from a store of phantoms; item n depends on nothing but the seed and n.

    Parameters
    ----------
    head_paths : list of Path
    seed : int
    first, n_items : int
        Items `first` to `first + n_items - 1` of the endless sequence.
    patch : int
        Edge of a patch, voxels.
    """

    def __init__(self, head_paths: list[Path], *, seed: int, first: int, n_items: int, patch: int) -> None:
        self.head_paths, self.seed, self.first, self.n_items, self.patch = head_paths, seed, first, n_items, patch

    def __len__(self) -> int:
        """Return the number of items."""
        return self.n_items

    def __getitem__(self, index: int) -> TissueExample:
        """Return one scan with its map."""
        if not 0 <= index < self.n_items:
            raise IndexError(index)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.first + index)
        head = load_head(self.head_paths[int(torch.randint(len(self.head_paths), (), generator=generator))])
        starts = _random_starts(head, self.patch, generator)
        patch = cut_patch(head, starts, (self.patch,) * 3)
        corner_mm = torch.from_numpy(head.affine[:3, :3] @ starts + head.affine[:3, 3]).float()
        return scan_patch(patch, random_site(generator), generator, spacing=float(head.affine[0, 0]), corner=corner_mm)


def scan_patch(
    patch: Patch, site: Site, generator: torch.Generator, *, spacing: float, corner: Tensor
) -> TissueExample:
    """
    Scan a patch with everything that can be wrong with a scan.

    Parameters
    ----------
    patch : Patch
    site : Site
    generator : torch.Generator
    spacing : float
        mm.
    corner : (3,) Tensor
        Of the first voxel, mm from the middle of the head.
    """
    if chance(0.15, generator):
        patch = replace(patch, counts=put_lesions(patch, spacing, generator))
    gain = _tissue_gain(generator)
    signal = patch_signal(patch, site, gain)
    white_matter = float(signal_table(site)[INDEX_OF["white_matter"], 0] * gain[INDEX_OF["white_matter"]])
    volume = signal / max(white_matter, 1e-6)
    volume = blur(ring(volume, generator), site, spacing, generator)
    volume = volume * receive_field(patch, site, spacing, generator)
    volume = rician(volume, site, spacing, generator)
    if chance(1 / 3, generator):
        volume = volume ** uniform(0.8, 1.25, generator)
    volume, counts = _cut_away(volume, patch, corner, spacing, generator)
    volume = volume * (WHITE_MATTER * _scale_error(generator))
    if chance(0.1, generator):
        volume = volume + uniform(-0.04, 0.04, generator)
    example = TissueExample(volume.clamp(max=CEILING)[None], _class_counts(counts))
    return _flip(example) if chance(0.5, generator) else example


def _random_starts(head: PlacedHead, edge: int, generator: torch.Generator) -> tuple[int, int, int]:
    """Draw a box around some voxel of the head."""
    flat = int(head.voxels[int(torch.randint(len(head.voxels), (), generator=generator))])
    plane, row = head.shape[1] * head.shape[2], head.shape[2]
    i, j, k = (
        max(-MARGIN, min(middle - edge // 2, n + MARGIN - edge))
        for middle, n in zip((flat // plane, flat % plane // row, flat % row), head.shape, strict=True)
    )
    return i, j, k


def _tissue_gain(generator: torch.Generator) -> Tensor:
    """Draw factors on the tissues' signals: a third of the scans have any contrast, an eighth a contrast agent."""
    gain = torch.ones(len(TISSUES))
    if chance(1 / 3, generator):
        gain = torch.exp(WILD_GAIN * torch.randn(len(TISSUES), generator=generator))
    if chance(1 / 8, generator):
        gain[INDEX_OF["blood"]] *= uniform(1.5, 4.0, generator)
    gain[INDEX_OF["lesion"]] *= uniform(0.6, 1.1, generator)
    return gain


def _scale_error(generator: torch.Generator) -> float:
    """Draw how wrong the white-matter intensity is that the scan is scaled by."""
    sigma = WILD_SCALE_ERROR if chance(0.1, generator) else SCALE_ERROR
    return float(torch.exp(sigma * torch.randn((), generator=generator)))


def _cut_away(
    volume: Tensor, patch: Patch, corner: Tensor, spacing: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Strip, deface or cut the scan; what is gone is air in the map, too."""
    keep = torch.ones(volume.shape, dtype=torch.bool)
    if chance(0.25, generator):
        keep &= strip_skull(patch, generator)
    elif chance(0.12, generator):
        keep &= deface(patch, corner, spacing, generator)
    if chance(0.15, generator):
        keep &= cut_field_of_view(volume.shape, generator)
    if bool(keep.all()):
        return volume, patch.counts
    counts = torch.where(keep[..., None], patch.counts, torch.zeros_like(patch.counts))
    counts[..., AIR] += (~keep).to(torch.uint8) * patch.n_points
    return volume * keep, counts


def _class_counts(counts: Tensor) -> Tensor:
    """Add up the tissues of each class."""
    classes = torch.zeros(*counts.shape[:-1], len(TISSUE_CLASSES), dtype=torch.uint8)
    return classes.index_add_(3, classes_of_tissues(), counts)


def _flip(example: TissueExample) -> TissueExample:
    """Mirror left and right: heads are nearly symmetric."""
    return TissueExample(example.volume.flip(1), example.counts.flip(0))
