"""Samples drawn from a store of phantoms; item n depends on nothing but the seed and n."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.data import Dataset

from hail_mri.training.batch import Batch

Draw = Callable[[list[Path], torch.Generator], Batch]  # makes a sample of some of the heads of a store


class SimulatedSamples(Dataset[Batch]):
    """A stretch of an endless sequence of samples.

    Parameters
    ----------
    draw : callable
        `draw_scan` or `draw_pair`, with its settings filled in.
    head_paths : list of Path
    seed : int
    first, n_items : int
        Items `first` to `first + n_items - 1` of the sequence.
    """

    def __init__(self, draw: Draw, head_paths: list[Path], *, seed: int, first: int, n_items: int) -> None:
        self.draw, self.head_paths, self.seed, self.first, self.n_items = draw, head_paths, seed, first, n_items

    def __len__(self) -> int:
        """Return the number of items."""
        return self.n_items

    def __getitem__(self, index: int) -> Batch:
        """Return one sample."""
        if not 0 <= index < self.n_items:
            raise IndexError(index)
        return self.draw(self.head_paths, torch.Generator().manual_seed(self.seed * 1_000_003 + self.first + index))
