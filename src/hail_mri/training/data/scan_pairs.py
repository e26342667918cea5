"""Pairs of real scans: patches from the same location of two registered scans of two sites, in both directions.

Nothing is known of them but what they show: no truth, no tissues. They train with the paper's losses only.

References
----------
Parida et al., HAIL, 2023, section 2.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.utils.data import Dataset

from hail_mri.errors import InputError
from hail_mri.preprocess.reference import Reference
from hail_mri.preprocess.settings import Preset
from hail_mri.training.augmentation.chances import chance
from hail_mri.training.batch import Batch
from hail_mri.training.data.prepared_scans import OnBad, PreparedScan, prepare_scans
from hail_mri.training.data.scan_split import Phase, ScanSplit
from hail_mri.training.data.source import Split
from hail_mri.training.running.budget import Budget

MOST_TRIES = 64  # places that are tried until both heads show one
BySite = dict[str, list[PreparedScan]]


class ScanPairs(Dataset[Batch]):
    """A stretch of an endless sequence of pairs; item n depends on nothing but the scans, the seed and n.

    Parameters
    ----------
    scans : dict of site to list of PreparedScan
        At least two sites.
    edge : int
        Of patches, voxels.
    flips : bool
        Whether half of the pairs are mirrored.
    seed : int
    first, n_items : int
        Items `first` to `first + n_items - 1` of the sequence.
    """

    def __init__(self, scans: BySite, *, edge: int, flips: bool, seed: int, first: int, n_items: int) -> None:
        self.scans, self.edge, self.flips = scans, edge, flips
        self.seed, self.first, self.n_items = seed, first, n_items

    def __len__(self) -> int:
        """Return the number of items."""
        return self.n_items

    def __getitem__(self, index: int) -> Batch:
        """Return one pair: random sites, a random scan of each, a random place that both heads show."""
        if not 0 <= index < self.n_items:
            raise IndexError(index)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.first + index)
        sites = sorted(self.scans)
        one, other = (sites[n] for n in torch.randperm(len(sites), generator=generator)[:2].tolist())
        scans = [self.scans[s][int(torch.randint(len(self.scans[s]), (), generator=generator))] for s in (one, other)]
        start = self._start(scans[0], scans[1], generator)
        patches = [scan.patch(start, self.edge) for scan in scans]
        source, weight = (torch.stack([patch[n][None] for patch in patches]) for n in (0, 1))
        pair = Batch(source, target=source.flip(0), source_weight=weight, target_weight=weight.flip(0))
        return pair.flipped() if self.flips and chance(0.5, generator) else pair

    def _start(self, scan: PreparedScan, other: PreparedScan, generator: torch.Generator) -> tuple[int, int, int]:
        """Return the first voxel of a cube around a place that both heads show."""
        places = scan.places()
        tried = places[torch.randint(len(places), (MOST_TRIES,), generator=generator)].tolist()
        place = next((p for p in tried if other.shows((p[0], p[1], p[2]))), None)
        if place is None:
            raise InputError(f"{scan.row.path} and {other.row.path} show nothing in the same place")
        shape = scan.shape()
        i, j, k = (max(0, min(p - self.edge // 2, n - self.edge)) for p, n in zip(place, shape, strict=True))
        return i, j, k


@dataclass
class ScanSource:
    """A `SampleSource` of the real scans of a table.

    Attributes
    ----------
    split : ScanSplit
    phase : "encoder" or "style"
    store_dir : Path
        Of prepared scans.
    make_reference : callable
        Makes the reference they are registered to; only called when scans are prepared.
    preset : "robust" or "paper"
    on_bad : "stop" or "skip"
    edge, flips, seed
        See `ScanPairs`.
    """

    split: ScanSplit
    phase: Phase
    store_dir: Path
    make_reference: Callable[[], Reference]
    preset: Preset
    on_bad: OnBad
    edge: int
    flips: bool
    seed: int
    prepared: dict[Split, BySite] = field(default_factory=dict)

    @property
    def names(self) -> dict[Split, tuple[str, ...]]:
        """The subjects of each split with their sites."""
        return {"train": self._names("train"), "validation": self._names("validation")}

    def prepare(self, budget: Budget, say: Callable[[str], None]) -> None:
        """Prepare the scans that are missing, see `prepare_scans`."""
        parts: tuple[Split, ...] = ("train", "validation")
        rows = {part: self.split.of(self.phase, part) for part in parts}
        scans = prepare_scans(
            [*rows["train"], *rows["validation"]],
            self.make_reference(),
            self.store_dir,
            preset=self.preset,
            on_bad=self.on_bad,
            budget=budget,
            say=say,
        )
        for part in parts:
            of_part = [scan for scan in scans if scan.row in rows[part]]
            self.prepared[part] = _by_site(of_part, expected={row.site for row in rows[part]}, part=part)
            say(f"scans for {part}: {len(of_part)} of {len(self.prepared[part])} sites")

    def samples(self, split: Split, *, first: int, n_items: int) -> Dataset[Batch]:
        """Return samples of the endless sequence of a split."""
        seed = self.seed + (split == "validation")
        return ScanPairs(
            self.prepared[split], edge=self.edge, flips=self.flips, seed=seed, first=first, n_items=n_items
        )

    def _names(self, part: Split) -> tuple[str, ...]:
        return tuple(f"{row.subject} ({row.site})" for row in self.split.of(self.phase, part))


def _by_site(scans: Sequence[PreparedScan], *, expected: set[str], part: str) -> BySite:
    """Return scans by their sites.

    Raises
    ------
    InputError
        If a site has none left.
    """
    found: BySite = defaultdict(list)
    for scan in scans:
        found[scan.row.site].append(scan)
    if gone := sorted(expected - set(found)):
        raise InputError(f"no scan of site {', '.join(gone)} is left for {part}", "all of them were skipped")
    return dict(found)
