"""Pairs of axial slices of real brains of two sites, each the other's example.

As of simulated ones (`slice_pairs`), the slices of a pair do not show the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch.utils.data import Dataset

from hail_mri.errors import HailError, InputError
from hail_mri.training.augmentation.chances import chance
from hail_mri.training.batch import Batch
from hail_mri.training.data.brain_slices import BrainSlices, cut_brain
from hail_mri.training.data.prepared_scans import PreparedScan
from hail_mri.training.data.scan_pairs import ScanSource
from hail_mri.training.data.source import Split
from hail_mri.training.running.budget import Budget

BrainsBySite = Mapping[str, list[BrainSlices]]


class SlicePairs(Dataset[Batch]):
    """A stretch of an endless sequence of pairs; item n depends on nothing but the brains, the seed and n.

    Parameters
    ----------
    brains : mapping of site to list of BrainSlices
        At least two sites.
    flips : bool
        Whether half of the pairs are mirrored.
    seed : int
    first, n_items : int
        Items `first` to `first + n_items - 1` of the sequence.
    """

    def __init__(self, brains: BrainsBySite, *, flips: bool, seed: int, first: int, n_items: int) -> None:
        self.brains, self.flips, self.seed, self.first, self.n_items = brains, flips, seed, first, n_items

    def __len__(self) -> int:
        """Return the number of items."""
        return self.n_items

    def __getitem__(self, index: int) -> Batch:
        """Return one pair: random sites, a random brain of each, of each a slice through a random place in it."""
        if not 0 <= index < self.n_items:
            raise IndexError(index)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.first + index)
        sites = sorted(self.brains)
        images = []
        for site in torch.randperm(len(sites), generator=generator)[:2].tolist():
            brains = self.brains[sites[site]]
            brain = brains[int(torch.randint(len(brains), (), generator=generator))]
            number = int(torch.multinomial(brain.areas().double(), 1, generator=generator))
            images.append(brain.image(number)[None, :, :, None])  # (1, I, J, 1)
        source = torch.stack(images)
        pair = Batch(source, target=source.flip(0))
        return pair.flipped() if self.flips and chance(0.5, generator) else pair


@dataclass
class SliceSource:
    """A `SampleSource` of the brains of a table's scans.

    Attributes
    ----------
    scans : ScanSource
        Prepares the scans, and knows which are for what.
    spacing : float
        Of prepared scans, mm.
    """

    scans: ScanSource
    spacing: float
    brains: dict[Split, BrainsBySite] = field(default_factory=dict)

    @property
    def names(self) -> dict[Split, tuple[str, ...]]:
        """The subjects of each split with their sites."""
        return self.scans.names

    def prepare(self, budget: Budget, say: Callable[[str], None]) -> None:
        """
        Prepare the scans that are missing, and cut out their brains.

        Raises
        ------
        InputError
            As `ScanSource.prepare`; if a scan has no brain and none is to be skipped.
        """
        self.scans.prepare(budget, say)
        for part, by_site in self.scans.prepared.items():
            brains = {site: self._brains(scans, budget, say) for site, scans in by_site.items()}
            if gone := sorted(site for site, found in brains.items() if not found):
                raise InputError(f"no brain of site {', '.join(gone)} is left for {part}", "all of them were skipped")
            self.brains[part] = brains
            say(f"brains for {part}: {sum(map(len, brains.values()))}")

    def samples(self, split: Split, *, first: int, n_items: int) -> Dataset[Batch]:
        """Return samples of the endless sequence of a split."""
        seed = self.scans.seed + (split == "validation")
        return SlicePairs(self.brains[split], flips=self.scans.flips, seed=seed, first=first, n_items=n_items)

    def _brains(self, scans: list[PreparedScan], budget: Budget, say: Callable[[str], None]) -> list[BrainSlices]:
        """Return the brains of scans, without those that were skipped."""
        found = []
        for scan in scans:
            if budget.seconds_left <= 0:
                raise InputError(
                    f"the {budget.seconds / 60:g} minutes are over before all brains are cut out",
                    "run it again with more minutes; what is there is kept",
                )
            try:
                found.append(cut_brain(scan, spacing=self.spacing))
            except HailError as error:
                if self.scans.on_bad == "stop":
                    raise InputError(
                        f"{scan.row.path} cannot be learned from: {error}",
                        "take it out of the table, or set bad_scans to skip",
                    ) from error
                say(f"skipped: {scan.row.path}: {error}")
        return found
