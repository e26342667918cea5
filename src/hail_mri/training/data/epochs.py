"""The samples of a run, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import lightning
from torch.utils.data import DataLoader, Subset

from hail_mri.errors import InputError
from hail_mri.training.batch import Batch
from hail_mri.training.data.epoch_loader import EpochLoader, SampleLoader, Share
from hail_mri.training.data.source import SampleSource


@dataclass(frozen=True)
class EpochSizes:
    """How many samples make an epoch, a batch and a validation.

    Attributes
    ----------
    n_per_epoch, n_validation : int
        Of all processes that learn.
    n_per_batch : int
        Of each of them.
    n_workers : int
        Processes that make samples, for each that learns; 0 for none but those.
    n_processes : int
        That learn.

    Raises
    ------
    InputError
        If several processes would not all have the same to learn from, or one nothing to validate with: the mean of
        their gradients would not be the mean over the samples.
    """

    n_per_epoch: int
    n_per_batch: int
    n_validation: int
    n_workers: int
    n_processes: int = 1

    @property
    def n_per_step(self) -> int:
        """Samples that all processes learn from at once."""
        return self.n_processes * self.n_per_batch

    def __post_init__(self) -> None:
        if self.n_processes > 1 and self.n_per_epoch % self.n_per_step:
            raise InputError(
                f"an epoch has {self.n_per_epoch} samples, expected a multiple of {self.n_per_step}: "
                f"{self.n_processes} processes with {self.n_per_batch} a batch",
                "change the samples of an epoch or a batch, or the number of devices",
            )
        if self.n_validation < self.n_processes:
            raise InputError(
                f"{self.n_validation} samples for validation, expected one for each of {self.n_processes} processes"
            )


class Epochs(lightning.LightningDataModule):
    """Training and validation samples; every epoch has new ones, and the same ones when it is resumed.

    Parameters
    ----------
    source : SampleSource
    sizes : EpochSizes
    first : int
        The first sample to learn from; those before were learned from in an earlier run.
    prepare : callable
        Prepares the source; the first process calls it once, and the others wait for it, however long it takes, and get
        the source from it.
    """

    def __init__(self, source: SampleSource, sizes: EpochSizes, *, first: int = 0, prepare: Callable[[], None]) -> None:
        super().__init__()
        self.source, self.sizes, self.first, self.prepare = source, sizes, first, prepare
        self.prepare_data_per_node = False  # machines share the folder of the run
        self._is_prepared = False

    def prepare_data(self) -> None:
        """Prepare the source."""
        if not self._is_prepared:
            self.prepare()
        self._is_prepared = True

    def setup(self, stage: str) -> None:  # noqa: ARG002
        """Take over the source as it was prepared."""
        if self.trainer is not None:
            self.source = self.trainer.strategy.broadcast(self.source)

    def train_dataloader(self) -> EpochLoader[Batch]:
        """Return this epoch's samples."""
        n = self.sizes.n_per_epoch
        epoch = self.trainer.current_epoch if self.trainer else 0
        samples = self.source.samples("train", first=self.first + epoch * n, n_items=n)
        return EpochLoader(
            samples,
            batch_size=self.sizes.n_per_batch,
            n_workers=self.sizes.n_workers,
            share=self._share,
            collate=Batch.join,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the validation samples of this process, the same at every epoch."""
        n, share = self.sizes.n_validation, self._share
        samples = Subset(self.source.samples("validation", first=0, n_items=n), range(share.index, n, share.n))
        return SampleLoader(
            samples, batch_size=self.sizes.n_per_batch, num_workers=self.sizes.n_workers, collate_fn=Batch.join
        )

    @property
    def _share(self) -> Share:
        """What this process has of every batch."""
        return Share(self.trainer.global_rank if self.trainer else 0, self.sizes.n_processes)
