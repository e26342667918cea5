"""The learning rate goes down when validation no longer gets better, also in a run that was interrupted.

Lightning moves such a schedule on after the checkpoint of a validation is written, and not at all in an epoch that was
resumed, so that it loses count. Here it moves on before.
"""

from __future__ import annotations

from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch.optim.lr_scheduler import ReduceLROnPlateau

PLATEAU_FACTOR = 0.8  # on the learning rate (paper, section 2.1)


class PlateauSchedule(Callback):
    """Multiply the learning rate by 0.8 when the validation loss stays where it is."""

    def __init__(self) -> None:
        self._schedule: ReduceLROnPlateau | None = None
        self._resumed: dict[str, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Begin, or go on as the checkpoint says."""
        self._schedule = ReduceLROnPlateau(trainer.optimizers[0], factor=PLATEAU_FACTOR)
        self._schedule.load_state_dict(self._resumed)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Look whether validation got better."""
        if self._schedule is not None:
            self._schedule.step(float(trainer.callback_metrics["validation_loss"]))

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of this."""
        return self._schedule.state_dict() if self._schedule is not None else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take what a checkpoint has kept."""
        self._resumed = state_dict
