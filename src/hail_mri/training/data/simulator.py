"""The simulator as a source of samples: label maps are deformed into heads, and these are scanned at random sites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch.utils.data import Dataset

from hail_mri.training.batch import Batch
from hail_mri.training.data.heads import head_path
from hail_mri.training.data.label_map_split import LabelMapSplit
from hail_mri.training.data.simulated_samples import Draw, SimulatedSamples
from hail_mri.training.data.source import Split
from hail_mri.training.data.stores import fill_stores
from hail_mri.training.running.budget import Budget
from hail_mri.training.settings import DataSection, ScanSection


@dataclass(frozen=True)
class Simulator:
    """A `SampleSource` that knows everything about its scans.

    Attributes
    ----------
    label_maps : LabelMapSplit
    heads_dir : Path
        Of the stores of phantoms, one a split.
    data : DataSection or ScanSection
    draw : Draw
        What a sample is.
    """

    label_maps: LabelMapSplit
    heads_dir: Path
    data: DataSection | ScanSection
    draw: Draw

    @property
    def names(self) -> dict[Split, tuple[str, ...]]:
        """The label maps of each split."""
        split = self.label_maps
        return {"train": tuple(p.name for p in split.train), "validation": tuple(p.name for p in split.validation)}

    def prepare(self, budget: Budget, say: Callable[[str], None]) -> None:
        """Place the heads that are missing, see `fill_stores`."""
        split = self.label_maps
        fill_stores(self.heads_dir, self.data, budget, train=split.train, validation=split.validation, say=say)

    def samples(self, split: Split, *, first: int, n_items: int) -> Dataset[Batch]:
        """Return samples of the endless sequence of a split."""
        n_heads, seed = self.data.n_heads, self.data.seed
        if split == "validation":
            n_heads, seed = self.data.n_validation_heads, self.data.seed + 1
        paths = [head_path(self.heads_dir / split, index) for index in range(n_heads)]
        return SimulatedSamples(self.draw, paths, seed=seed, first=first, n_items=n_items)
