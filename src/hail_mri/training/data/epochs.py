"""The samples of a run, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass

import lightning
from torch.utils.data import DataLoader

from hail_mri.training.batch import Batch
from hail_mri.training.data.epoch_loader import EpochLoader
from hail_mri.training.data.source import SampleSource


@dataclass(frozen=True)
class EpochSizes:
    """How many samples make an epoch, a batch and a validation.

    Attributes
    ----------
    n_per_epoch, n_per_batch, n_validation : int
    n_workers : int
        Processes that make samples; 0 for none but the run's own.
    """

    n_per_epoch: int
    n_per_batch: int
    n_validation: int
    n_workers: int


class Epochs(lightning.LightningDataModule):
    """Training and validation samples; every epoch has new ones, and the same ones when it is resumed.

    Parameters
    ----------
    source : SampleSource
    sizes : EpochSizes
    first : int
        The first sample to learn from; those before were learned from in an earlier run.
    """

    def __init__(self, source: SampleSource, sizes: EpochSizes, *, first: int = 0) -> None:
        super().__init__()
        self.source, self.sizes, self.first = source, sizes, first

    def train_dataloader(self) -> EpochLoader[Batch]:
        """Return this epoch's samples."""
        n = self.sizes.n_per_epoch
        epoch = self.trainer.current_epoch if self.trainer else 0
        samples = self.source.samples("train", first=self.first + epoch * n, n_items=n)
        return EpochLoader(
            samples, batch_size=self.sizes.n_per_batch, n_workers=self.sizes.n_workers, collate=Batch.join
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the validation samples, the same at every epoch."""
        samples = self.source.samples("validation", first=0, n_items=self.sizes.n_validation)
        return DataLoader(
            samples, batch_size=self.sizes.n_per_batch, num_workers=self.sizes.n_workers, collate_fn=Batch.join
        )
