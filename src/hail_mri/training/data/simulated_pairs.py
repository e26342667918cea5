"""Training pairs: two subjects, two sites, both directions, and the truth.

From two phantoms (i and j) and two sites (a and b) come four scans. They make two examples, as in the paper's
batches: i goes from a to b with j at b as its target, and j goes from b to a with i at a as its target. The truth is
the source's head at the target's site, without noise and with the source's own receive field.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from hail_mri.preprocess.prepare import CEILING
from hail_mri.simulation.acquisition import random_receive_field
from hail_mri.simulation.phantoms import Phantom
from hail_mri.simulation.scanners import Site, random_site, site_by_name
from hail_mri.training.augmentation.chances import chance
from hail_mri.training.augmentation.contrasts import random_gamma
from hail_mri.training.augmentation.missing_parts import choose_stripped, random_field_of_view
from hail_mri.training.batch import Batch
from hail_mri.training.data.heads import load_head
from hail_mri.training.data.patch_visits import Coil, Contrast, PatchVisit, cut_visit, scan_visit, shown_in
from hail_mri.training.data.views import Box, View, head_box, random_box
from hail_mri.training.settings import AugmentationSection

TRUTH_CEILING = 2.0  # what is learned of brighter voxels: bright fat must not drown the brain


@dataclass(frozen=True)
class PairSettings:
    """What pairs are drawn.

    Attributes
    ----------
    augmentation : AugmentationSection
    patch : int
        Edge of a random patch, the same for source, target and truth; 0 takes the box around both heads, its edges
        multiples of `stride`.
    stride : int
    sites : tuple of str
        Names of sites to draw two from; of none, sites are random.
    with_truth : bool
        Whether the truth is simulated, too, which takes half of the time.
    """

    augmentation: AugmentationSection
    patch: int = 0
    stride: int = 8
    sites: tuple[str, ...] = ()
    with_truth: bool = True


def draw_pair(head_paths: list[Path], generator: torch.Generator, *, settings: PairSettings) -> Batch:
    """
    Scan two heads at two sites, and return both directions.

    Parameters
    ----------
    head_paths : list of Path
        To draw two from.
    generator : torch.Generator
    settings : PairSettings
    """
    one, other = torch.randint(len(head_paths), (2,), generator=generator).tolist()
    heads = load_head(head_paths[one]), load_head(head_paths[other])
    sites, augmentation = _draw_sites(settings.sites, generator), settings.augmentation
    gammas = [random_gamma(generator) if augmentation.gamma else 1.0 for _ in sites]
    contrasts = Contrast(sites[0], gammas[0]), Contrast(sites[1], gammas[1])
    coils = [Coil(random_receive_field(generator), site.receive_strength) for site in sites]
    views = _random_views(heads, augmentation, generator)
    box = random_box(views, settings.patch, generator) if settings.patch else head_box(views, settings.stride)
    visits = [PatchVisit(view, box, coil) for view, coil in zip(views, coils, strict=True)]
    pair = scan_pair((visits[0], visits[1]), contrasts, generator, with_truth=settings.with_truth)
    return pair.flipped() if augmentation.flips and chance(0.5, generator) else pair


def _draw_sites(names: tuple[str, ...], generator: torch.Generator) -> tuple[Site, Site]:
    """Draw two sites, those with these names, or random ones."""
    if not names:
        return random_site(generator, "a"), random_site(generator, "b")
    one, other = torch.randperm(len(names), generator=generator)[:2].tolist()
    return site_by_name(names[one]), site_by_name(names[other])


def scan_pair(
    visits: tuple[PatchVisit, PatchVisit],
    contrasts: tuple[Contrast, Contrast],
    generator: torch.Generator,
    *,
    with_truth: bool = True,
) -> Batch:
    """
    Scan the same box of two heads, each with a contrast of its own, and make the two directions.

    Parameters
    ----------
    visits : (PatchVisit, PatchVisit)
    contrasts : (Contrast, Contrast)
        Of the sites they are at.
    generator : torch.Generator
        Of the noise.
    with_truth : bool
        Whether the truth is wanted.

    Returns
    -------
    pair : Batch
        Two scans, each the other's target; the truth of each is on a scale of its own, as coils make two scans of
        one site differ in brightness, and no network can know by how much.
    """
    patches = [cut_visit(visit) for visit in visits]
    shown = [shown_in(visit, patch) for visit, patch in zip(visits, patches, strict=True)]
    scans = [scan_visit(visits[n], patches[n], contrasts[n], noise=generator) for n in (0, 1)]
    source = torch.stack([(scans[n] * shown[n].keep).clamp(max=CEILING)[None] for n in (0, 1)])
    weight = torch.stack([shown[n].weight[None] for n in (0, 1)])
    truth = None
    if with_truth:
        truths = [scan_visit(visits[n], patches[n], contrasts[1 - n]) for n in (0, 1)]
        truth = torch.stack([(truths[n] * shown[n].keep).clamp(max=TRUTH_CEILING)[None] for n in (0, 1)])
    return Batch(
        source=source,
        target=source.flip(0),
        truth=truth,
        source_weight=weight,
        target_weight=weight.flip(0),
        tissue_counts=torch.stack([shown[n].tissue_counts for n in (0, 1)]),
    )


def _random_views(
    heads: tuple[Phantom, Phantom], augmentation: AugmentationSection, generator: torch.Generator
) -> tuple[View, View]:
    """Draw what the scans show of two heads."""
    boxes = [Box((0, 0, 0), head.shape) for head in heads]
    if augmentation.field_of_view:
        boxes = [Box(*random_field_of_view(head.shape, generator)) for head in heads]
    stripped = choose_stripped(generator) if augmentation.stripping else (False, False)
    return View(heads[0], boxes[0], stripped[0]), View(heads[1], boxes[1], stripped[1])
