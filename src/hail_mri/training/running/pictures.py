"""Pictures of what a network makes of one validation sample, while it learns."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger

from hail_mri.training.batch import Batch
from hail_mri.training.example import Draw, Example
from hail_mri.training.running.checkpoints import is_best

PICTURE_SECONDS = 180.0  # between pictures, at least


@runtime_checkable
class ShowsExamples(Protocol):
    """A phase that can be looked at."""

    def example(self, batch: Batch) -> Example:
        """Return what the network makes of the first scan of a batch."""


class Pictures(Callback):
    """Draw the first validation sample after the first validation, and after those that were the best so far.

    The weights are those that are validated (the averaged ones); nothing of the run is changed.

    Parameters
    ----------
    folder : Path
        For PNG files, named by the step; TensorBoard gets the same pictures.
    draw : callable
        Makes a picture, see `Draw`.
    """

    def __init__(self, folder: Path, draw: Draw) -> None:
        self.folder, self.draw = folder, draw
        self._drawn_at = -math.inf
        self._example: Example | None = None

    def on_validation_batch_end(  # noqa: PLR0913, RUF100
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ARG002
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,  # noqa: ARG002
    ) -> None:
        """See what the network makes of the first sample, while it has the weights that are validated."""
        is_time = time.monotonic() - self._drawn_at >= PICTURE_SECONDS
        if batch_idx == 0 and is_time and trainer.is_global_zero and isinstance(pl_module, ShowsExamples):
            with torch.no_grad():
                self._example = pl_module.example(batch)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Draw it if it is the best."""
        example, self._example = self._example, None
        if example is None or not is_best(trainer):
            return
        step = trainer.global_step
        path = self.folder / f"step_{step:07d}.png"
        loss = float(trainer.callback_metrics["validation_loss"])
        picture = self.draw(example, path, f"after step {step}, validation loss {loss:.4g}")
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):  # which counts steps from 0
                logger.experiment.add_image("validation_sample", picture, step - 1, dataformats="HWC")
        self._drawn_at = time.monotonic()
