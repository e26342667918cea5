"""Whole scans like those a network learns from: what is known of their styles goes with the weights.

Training sees patches; a scan that is harmonized is seen whole, and its style is that of the whole head. So the styles
that a network knows are measured in whole scans, in scanner units, which are prepared as every scan is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from hail_mri.errors import HailError
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume
from hail_mri.simulation.acquisition import random_receive_field, scan
from hail_mri.simulation.phantoms import Phantom
from hail_mri.simulation.scanners import Site, random_site, site_by_name
from hail_mri.training.augmentation.contrasts import random_gamma
from hail_mri.training.augmentation.missing_parts import choose_stripped, random_field_of_view
from hail_mri.training.data.heads import head_path, load_head
from hail_mri.training.data.scan_table import ScanRow
from hail_mri.training.settings import AugmentationSection

GRAY_LEVELS = 4095  # scanners store whole numbers


@dataclass(frozen=True)
class WholeScan:
    """A scan in scanner units.

    Attributes
    ----------
    volume : Volume
    anatomy : str
        Whose head it is, or which label map's: two scans of one anatomy are more alike than others.
    """

    volume: Volume
    anatomy: str


def simulated_scans(
    store_dir: Path,
    label_maps: Sequence[Path],
    augmentation: AugmentationSection,
    *,
    sites: Sequence[str],
    n_heads: int,
    n_scans: int,
    seed: int,
) -> Iterator[WholeScan]:
    """
    Scan the heads of a store in a random order, each at a site, stripped and cut as pairs for training are.

    Parameters
    ----------
    store_dir : Path
        Of `n_heads` heads, see `fill_store`.
    label_maps : sequence of Path
        They were made of.
    augmentation : AugmentationSection
    sites : sequence of str
        Names to draw from; of none, sites are random.
    n_heads, n_scans : int
        With more scans than heads, heads are scanned again.
    seed : int
        Of scans and their order.
    """
    for index in _shuffled(n_scans, seed):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
        head = load_head(head_path(store_dir, index % n_heads))
        site = random_site(generator)
        if sites:
            site = site_by_name(sites[int(torch.randint(len(sites), (), generator=generator))])
        volume = simulate_scan(head, site, augmentation, generator)
        yield WholeScan(volume, label_maps[index % n_heads % len(label_maps)].name)


def simulate_scan(head: Phantom, site: Site, augmentation: AugmentationSection, generator: torch.Generator) -> Volume:
    """Scan a head at a site, with what the settings take away of scans; the same generator gives the same scan."""
    field = random_receive_field(generator)
    gamma = random_gamma(generator) if augmentation.gamma else 1.0
    volume = scan(head, site, receive_field=field, noise=generator)
    volume = (volume / site.gain) ** gamma * site.gain
    if augmentation.stripping and choose_stripped(generator)[0]:
        volume = volume * head.brain
    starts, ends = (0, 0, 0), head.shape
    if augmentation.field_of_view:
        starts, ends = random_field_of_view(head.shape, generator)
    affine = head.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ starts
    seen = tuple(slice(start, end) for start, end in zip(starts, ends, strict=True))
    levels = volume[seen] * (GRAY_LEVELS / volume.max().clamp(min=1e-6))
    return Volume(levels.round().numpy(), affine)


def real_scans(rows: Sequence[ScanRow], n_scans: int, say: Callable[[str], None], *, seed: int) -> Iterator[WholeScan]:
    """
    Read scans of a table in a random order, evenly chosen if there are more than are wanted.

    Those that cannot be read are left out.

    Parameters
    ----------
    rows : sequence of ScanRow
    n_scans : int
    say : callable
        Takes one line at a time.
    seed : int
        Of the order; a table has site after site.
    """
    step = max(1.0, len(rows) / max(n_scans, 1))
    for number in _shuffled(min(len(rows), n_scans), seed):
        row = rows[int(number * step)]
        try:
            yield WholeScan(load_volume(row.path), row.subject)
        except (HailError, OSError) as error:
            say(f"{row.path} has no part in what the weights know of styles: {error}")


def mixed_scans(
    real: Iterator[WholeScan], n_real: int, simulated: Iterator[WholeScan], n_simulated: int, *, seed: int
) -> Iterator[WholeScan]:
    """
    Mix real and simulated scans, each kind in its own order; a part of the mixture has about as much of both.

    Parameters
    ----------
    real, simulated : iterator of WholeScan
    n_real, n_simulated : int
        How many there are at most.
    seed : int
    """
    for number in _shuffled(n_real + n_simulated, seed):
        yield from islice(real if number < n_real else simulated, 1)  # nothing, where one could not be read


def _shuffled(n: int, seed: int) -> list[int]:
    """Return the numbers below n in a random order."""
    order: list[int] = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return order
