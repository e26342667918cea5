"""Real and simulated pairs in a stated proportion; what is known of one kind only is left out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from torch.utils.data import Dataset

from hail_mri.training.batch import Batch
from hail_mri.training.data.source import SampleSource, Split
from hail_mri.training.running.budget import Budget


class MixedSamples(Dataset[Batch]):
    """Samples of two sequences in turn, so that of every stretch a share is of the second.

    Parameters
    ----------
    real, simulated : Dataset
        From item 0 on, long enough.
    share : float
        Of the second, 0 to 1.
    first, n_items : int
        Of the mixed sequence.
    """

    def __init__(
        self, real: Dataset[Batch], simulated: Dataset[Batch], *, share: float, first: int, n_items: int
    ) -> None:
        self.real, self.simulated, self.share, self.first, self.n_items = real, simulated, share, first, n_items

    def __len__(self) -> int:
        """Return the number of items."""
        return self.n_items

    def __getitem__(self, index: int) -> Batch:
        """Return one sample, without truth and tissues."""
        if not 0 <= index < self.n_items:
            raise IndexError(index)
        n = self.first + index
        before, after = math.floor(n * self.share), math.floor((n + 1) * self.share)
        if after == before:
            return self.real[n - before]
        return replace(self.simulated[before], truth=None, tissue_counts=None)


@dataclass(frozen=True)
class MixedSource:
    """A `SampleSource` of two others.

    Attributes
    ----------
    real, simulated : SampleSource
    share : float
        Of simulated samples, 0 to 1.
    """

    real: SampleSource
    simulated: SampleSource
    share: float

    @property
    def names(self) -> dict[Split, tuple[str, ...]]:
        """What both are made of."""
        return {split: self.real.names[split] + self.simulated.names[split] for split in self.real.names}

    def prepare(self, budget: Budget, say: Callable[[str], None]) -> None:
        """Prepare both."""
        self.real.prepare(budget, say)
        self.simulated.prepare(budget, say)

    def samples(self, split: Split, *, first: int, n_items: int) -> Dataset[Batch]:
        """Return samples of the mixed sequence of a split."""
        end = first + n_items
        whole = (source.samples(split, first=0, n_items=end) for source in (self.real, self.simulated))
        return MixedSamples(*whole, share=self.share, first=first, n_items=n_items)
