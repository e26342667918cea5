"""Pairs of axial slices of two simulated brains at two sites: skull-stripped, each the other's example.

The slices of a pair do not show the same place: a style is that of a brain, wherever it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from hail_mri.errors import InputError
from hail_mri.simulation.acquisition import random_receive_field
from hail_mri.simulation.scanners import random_site, site_by_name
from hail_mri.training.augmentation.chances import chance
from hail_mri.training.batch import Batch
from hail_mri.training.data.heads import load_head
from hail_mri.training.data.patch_visits import Coil, Contrast, PatchVisit
from hail_mri.training.data.simulated_pairs import scan_pair
from hail_mri.training.data.views import N_CANDIDATES, Box, View


@dataclass(frozen=True)
class SlicePairSettings:
    """What pairs are drawn.

    Attributes
    ----------
    sites : tuple of str
        Names of sites to draw two from; of none, sites are random.
    flips : bool
        Whether half of the pairs are mirrored.
    """

    sites: tuple[str, ...]
    flips: bool


def draw_slice_pair(head_paths: list[Path], generator: torch.Generator, *, settings: SlicePairSettings) -> Batch:
    """
    Scan a slice of the brains of two heads at two sites, and return both directions.

    Parameters
    ----------
    head_paths : list of Path
        To draw two from.
    generator : torch.Generator
    settings : SlicePairSettings

    Returns
    -------
    pair : Batch
        Sources and targets, (2, 1, I, J, 1), 0 outside the brain.
    """
    one, other = torch.randint(len(head_paths), (2,), generator=generator).tolist()
    known = [site_by_name(name) for name in settings.sites] or [random_site(generator, name) for name in "ab"]
    sites = [known[n] for n in torch.randperm(len(known), generator=generator)[:2].tolist()]
    visits = []
    for path, site in zip((head_paths[one], head_paths[other]), sites, strict=True):
        head = load_head(path)
        view = View(head, Box((0, 0, 0), head.shape), stripped=True)
        coil = Coil(random_receive_field(generator), site.receive_strength)
        visits.append(PatchVisit(view, random_axial_slice(view, generator), coil))
    contrasts = Contrast(sites[0], gamma=1.0), Contrast(sites[1], gamma=1.0)
    scanned = scan_pair((visits[0], visits[1]), contrasts, generator, with_truth=False)
    pair = Batch(scanned.source, target=scanned.target)
    return pair.flipped() if settings.flips and chance(0.5, generator) else pair


def random_axial_slice(view: View, generator: torch.Generator) -> Box:
    """
    Draw the slice through a random voxel that a scan shows; of a brain, large slices are likelier than small ones.

    Raises
    ------
    InputError
        If it shows nothing.
    """
    rows = torch.randint(len(view.head.voxels), (N_CANDIDATES,), generator=generator)
    shown = view.index(rows[view.shows(rows)])
    if len(shown) == 0:
        raise InputError("a simulated scan shows no brain", "are the label maps those of heads?")
    k = int(shown[0, 2])
    i, j, _ = view.head.shape
    return Box((0, 0, k), (i, j, k + 1))
