"""The batches of an epoch, which go on where a checkpoint was written."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from torch.utils.data import DataLoader, Dataset, Sampler

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Share:
    """Which part of every batch is this process's.

    Attributes
    ----------
    index, n : int
        The number of the process, from 0, and how many there are.
    """

    index: int = 0
    n: int = 1


class SampleLoader(DataLoader[_Item], Generic[_Item]):
    """Load samples with processes that no SIGTERM reaches, which schedulers send to all processes of a run.

    The one that learns finishes and keeps its step, and then ends those that work for it; it would fail if one of them
    were gone before. The signal is blocked while they are started, as what they inherit holds from their first moment.
    """

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Start them."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            return super().__iter__()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Batches(Sampler[list[int]]):
    """Indices of items in order, batch by batch, from batch `first` on; the length is that of the whole epoch.

    The batches of several processes lie one after the other, so that together they are one batch as large.
    """

    def __init__(self, n_items: int, batch_size: int, share: Share) -> None:
        self.n_items, self.batch_size, self.share, self.first = n_items, batch_size, share, 0

    def __len__(self) -> int:
        """Return the number of batches of the whole epoch: Lightning adds those of the checkpoint itself."""
        return math.ceil(self.n_items / (self.batch_size * self.share.n))

    def __iter__(self) -> Iterator[list[int]]:
        """Iterate over the rest."""
        for batch in range(self.first, len(self)):
            start = (batch * self.share.n + self.share.index) * self.batch_size
            yield list(range(start, min(start + self.batch_size, self.n_items)))


class EpochLoader(SampleLoader[_Item], Generic[_Item]):
    """Load the items of a dataset in order, once; what a run has seen before a checkpoint is not made again.

    Parameters
    ----------
    dataset : Dataset
        With a length.
    batch_size, n_workers : int
        Of this process.
    share : Share
        Of this process; where there are several, all their batches have to be full.
    collate : callable, optional
        Makes a batch of a list of items; torch's own without it.
    """

    def __init__(
        self,
        dataset: Dataset[_Item],
        *,
        batch_size: int,
        n_workers: int,
        share: Share = Share(),
        collate: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        self.batches = _Batches(len(dataset), batch_size, share)  # type: ignore[arg-type]
        self.n_given = 0
        super().__init__(dataset, batch_sampler=self.batches, num_workers=n_workers, collate_fn=collate)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Iterate over the rest of the epoch."""
        self.n_given = self.batches.first
        for batch in super().__iter__():
            self.n_given += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Return how many batches were given away."""
        return {"n_given": self.n_given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on after the batches that were given away."""
        self.batches.first = self.n_given = state["n_given"]
