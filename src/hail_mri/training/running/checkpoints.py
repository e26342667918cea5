"""The checkpoints of a run: the last, to go on from, and the best, whose weights are kept.

Lightning's own `ModelCheckpoint` forgets which was the best when the folder of a run was moved, writes no last
checkpoint after a validation that was not the best, and, by the clock, one between the last step of an epoch and its
validation, which a run that goes on from it would leave out.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch import Tensor

from hail_mri.training.running.processes import Agreement

CHECKPOINT_SECONDS = 180.0  # between checkpoints, of wall time
LAST_NAME, BEST_NAME = "last.ckpt", "best.ckpt"


class Checkpoints(Checkpoint):
    """Write `last.ckpt` every few minutes, after each validation and when asked to end, `best.ckpt` after the best one.

    Parameters
    ----------
    folder : Path
    agreement : Agreement
        On the time, and on whether the run is to end.

    Attributes
    ----------
    best_loss : float or None
        The lowest validation loss so far.
    """

    def __init__(self, folder: Path, agreement: Agreement) -> None:
        self.folder, self.agreement = folder, agreement
        self.best_loss: float | None = None
        self._saved_at = 0.0

    @property
    def last_path(self) -> Path:
        """The checkpoint to go on from."""
        return self.folder / LAST_NAME

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of this."""
        return {"best_model_score": self.best_loss}

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002
        """Go on with the best loss."""
        self.best_loss = _best_loss(checkpoint)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Start the clock."""
        self._saved_at = self.agreement.budget.elapsed

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Write the last checkpoint if a step is complete and it is time or the run is asked to end.

        Not if validation comes next: then after it. A gradient that some batches of a step have left is in no
        checkpoint.
        """
        progress = trainer.fit_loop.epoch_loop.batch_progress
        is_last = trainer.should_stop or progress.is_last_batch
        if progress.current.ready % trainer.accumulate_grad_batches:
            return
        seconds = self.agreement.budget.elapsed - self._saved_at
        is_time = self.agreement.is_asked_to_end(trainer) or seconds >= CHECKPOINT_SECONDS
        if not is_last and is_time:
            self._save_last(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Write the best checkpoint if it is the best, and the last."""
        if is_best(trainer):
            self.best_loss = _last_loss(trainer)
            trainer.save_checkpoint(self.folder / BEST_NAME, weights_only=False)
        self._save_last(trainer)

    def _save_last(self, trainer: Trainer) -> None:
        """Write the checkpoint to go on from; the one before is replaced when this one is complete."""
        trainer.save_checkpoint(self.last_path, weights_only=False)
        self._saved_at = self.agreement.budget.elapsed
        if trainer.world_size > 1 and self.agreement.is_asked_to_end(trainer):  # else Lightning does it
            raise SIGTERMException


def is_best(trainer: Trainer) -> bool:
    """Return whether the last validation was better than those that `Checkpoints` has seen before."""
    checkpoints = trainer.checkpoint_callback
    best = checkpoints.best_loss if isinstance(checkpoints, Checkpoints) else None
    return best is None or _last_loss(trainer) < best


def step_of(checkpoint: Path | None) -> int:
    """Return the number of steps up to a checkpoint; 0 without one."""
    return (
        0 if checkpoint is None else int(torch.load(checkpoint, map_location="meta", weights_only=True)["global_step"])
    )


def load_best(folder: Path) -> tuple[dict[str, Tensor], float]:
    """
    Read the best checkpoint, by its place: the folder of a run may have been moved.

    Parameters
    ----------
    folder : Path
        Of checkpoints.

    Returns
    -------
    weights : dict of str to Tensor
        Of the module's `network`.
    validation_loss : float
    """
    best, prefix = torch.load(folder / BEST_NAME, map_location="cpu", weights_only=True), "network."
    weights = {name[len(prefix) :]: v for name, v in best["state_dict"].items() if name.startswith(prefix)}
    loss = _best_loss(best)
    if loss is None:
        raise AssertionError("a best checkpoint has a validation loss")
    return weights, loss


def _last_loss(trainer: Trainer) -> float:
    """Return the loss of the last validation; one that is no number is the worst."""
    loss = float(trainer.callback_metrics["validation_loss"])
    return math.inf if math.isnan(loss) else loss


def _best_loss(checkpoint: dict[str, Any]) -> float | None:
    """Return the lowest validation loss up to a checkpoint."""
    scores = (state.get("best_model_score") for state in checkpoint["callbacks"].values())
    return next((float(score) for score in scores if score is not None), None)
