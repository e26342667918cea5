"""A source of samples: what the phases and their runs know of where scans come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from torch.utils.data import Dataset

from hail_mri.training.batch import Batch
from hail_mri.training.running.budget import Budget

Split = Literal["train", "validation"]


class SampleSource(Protocol):
    """An endless sequence of samples for each split; sample n depends on nothing but the source and n.

    A sample is a `Batch` of one scan, or of the two directions of a pair. The simulator is the one source there is;
    real scans would be another, whose samples have no truth and no tissues.
    """

    @property
    def names(self) -> dict[Split, tuple[str, ...]]:
        """What each split is made of, for the model card."""

    def prepare(self, budget: Budget, say: Callable[[str], None]) -> None:
        """
        Do what is done once, before the first sample.

        Parameters
        ----------
        budget : Budget
            The time it may take.
        say : callable
            Takes one line at a time.

        Raises
        ------
        InputError
            If it cannot be done, or not in time.
        """

    def samples(self, split: Split, *, first: int, n_items: int) -> Dataset[Batch]:
        """Return samples `first` to `first + n_items - 1` of a split."""
