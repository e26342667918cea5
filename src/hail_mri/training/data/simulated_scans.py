"""Single scans with their tissue maps: what the tissue network learns from.

A phantom of the store is cut to a random patch, scanned at a random site, and spoilt in the ways real scans are spoilt
(`augmentation`). The map is what the phantom holds, so nothing has to be labelled.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from hail_mri.preprocess.prepare import CEILING, WHITE_MATTER
from hail_mri.simulation.patches import Patch, cut_patch, patch_signal, signal_table
from hail_mri.simulation.phantoms import Phantom
from hail_mri.simulation.scanners import Site, random_site
from hail_mri.simulation.tissues import INDEX_OF
from hail_mri.training.augmentation.artefacts import blur, receive_field, rician, ring
from hail_mri.training.augmentation.chances import chance, uniform
from hail_mri.training.augmentation.contrasts import scale_error, tissue_gain
from hail_mri.training.augmentation.lesions import put_lesions
from hail_mri.training.augmentation.missing_parts import cut_field_of_view, deface, strip_skull
from hail_mri.training.batch import Batch
from hail_mri.training.data.heads import load_head
from hail_mri.training.data.tissue_counts import class_counts, counts_left

MARGIN = 8  # voxels of the patch that may lie outside the phantom's grid


def draw_scan(head_paths: list[Path], generator: torch.Generator, *, patch: int) -> Batch:
    """
    Scan a random patch of a head at a random site.

    Parameters
    ----------
    head_paths : list of Path
        To draw one from.
    generator : torch.Generator
    patch : int
        Its edge, voxels.
    """
    head = load_head(head_paths[int(torch.randint(len(head_paths), (), generator=generator))])
    starts = _random_starts(head, patch, generator)
    cut = cut_patch(head, starts, (patch,) * 3)
    corner_mm = torch.from_numpy(head.affine[:3, :3] @ starts + head.affine[:3, 3]).float()
    return scan_patch(cut, random_site(generator), generator, spacing=float(head.affine[0, 0]), corner=corner_mm)


def scan_patch(patch: Patch, site: Site, generator: torch.Generator, *, spacing: float, corner: Tensor) -> Batch:
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
    gain = tissue_gain(generator)
    signal = patch_signal(patch, site, gain)
    white_matter = float(signal_table(site)[INDEX_OF["white_matter"], 0] * gain[INDEX_OF["white_matter"]])
    volume = signal / max(white_matter, 1e-6)
    volume = blur(ring(volume, generator), site, spacing, generator)
    volume = volume * receive_field(patch, site, spacing, generator)
    volume = rician(volume, site, spacing, generator)
    if chance(1 / 3, generator):
        volume = volume ** uniform(0.8, 1.25, generator)
    volume, counts = _cut_away(volume, patch, corner, spacing, generator)
    volume = volume * (WHITE_MATTER * scale_error(generator))
    if chance(0.1, generator):
        volume = volume + uniform(-0.04, 0.04, generator)
    sample = Batch(volume.clamp(max=CEILING)[None, None], tissue_counts=class_counts(counts)[None])
    return sample.flipped() if chance(0.5, generator) else sample


def _random_starts(head: Phantom, edge: int, generator: torch.Generator) -> tuple[int, int, int]:
    """Draw a box around some voxel of the head."""
    flat = int(head.voxels[int(torch.randint(len(head.voxels), (), generator=generator))])
    plane, row = head.shape[1] * head.shape[2], head.shape[2]
    i, j, k = (
        max(-MARGIN, min(middle - edge // 2, n + MARGIN - edge))
        for middle, n in zip((flat // plane, flat % plane // row, flat % row), head.shape, strict=True)
    )
    return i, j, k


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
    return volume * keep, counts_left(patch, keep)
