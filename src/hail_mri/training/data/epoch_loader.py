"""The batches of an epoch, which go on where a checkpoint was written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from torch.utils.data import DataLoader, Dataset, Sampler

_Item = TypeVar("_Item")


class _Batches(Sampler[list[int]]):
    """Indices of items in order, batch by batch, from batch `first` on; the length is that of the whole epoch."""

    def __init__(self, n_items: int, batch_size: int) -> None:
        self.n_items, self.batch_size, self.first = n_items, batch_size, 0

    def __len__(self) -> int:
        """Return the number of batches of the whole epoch: Lightning adds those of the checkpoint itself."""
        return math.ceil(self.n_items / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        """Iterate over the rest."""
        for batch in range(self.first, len(self)):
            yield list(range(batch * self.batch_size, min((batch + 1) * self.batch_size, self.n_items)))


class EpochLoader(DataLoader[_Item], Generic[_Item]):
    """Load the items of a dataset in order, once; what a run has seen before a checkpoint is not made again.

    Parameters
    ----------
    dataset : Dataset
        With a length.
    batch_size, n_workers : int
    collate : callable, optional
        Makes a batch of a list of items; torch's own without it.
    """

    def __init__(
        self,
        dataset: Dataset[_Item],
        *,
        batch_size: int,
        n_workers: int,
        collate: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        self.batches = _Batches(len(dataset), batch_size)  # type: ignore[arg-type]
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
