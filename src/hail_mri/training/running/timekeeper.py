"""A run says how long a step takes and when it will be done, and ends when its time or its steps are over."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from hail_mri.training.running.budget import Budget, duration_text
from hail_mri.training.running.checkpoints import Checkpoints
from hail_mri.training.running.processes import Agreement

N_WARMUP, N_MEASURED = 5, 20  # batches


class Timekeeper(Callback):
    """Keep the time of a run; see `Budget` for what counts.

    Parameters
    ----------
    agreement : Agreement
        On the time; this keeps it up to date.
    say : callable
        Takes one line at a time.
    """

    def __init__(self, agreement: Agreement, say: Callable[[str], None]) -> None:
        self.agreement, self.budget, self.say = agreement, agreement.budget, say
        self._intervals: list[float] = []  # seconds between the ends of batches, the first few only
        self._last_end: float | None = None
        self._validation_start: float | None = None
        self._has_validated = False

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002
        """Keep the time."""
        checkpoint["seconds"] = self.budget.elapsed

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002
        """Go on with the time."""
        self.budget.seconds_before = float(checkpoint.get("seconds", 0.0))

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Take no step when the time was over already, unless there are no weights yet."""
        self.agreement.update(trainer)
        checkpoints = trainer.checkpoint_callback
        has_weights = isinstance(checkpoints, Checkpoints) and checkpoints.best_loss is not None
        if self.budget.seconds_before and self.budget.seconds_left <= 0 and has_weights:
            trainer.should_stop = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Say where a run goes on."""
        self.agreement.take_sigterm(trainer)
        if trainer.global_step:
            self.say(
                f"going on after step {trainer.global_step} of {self.budget.n_steps}, "
                f"{duration_text(self.budget.seconds_before)} after its start"
            )
        self._last_end = time.monotonic()

    def on_before_optimizer_step(self, trainer: Trainer, *_: Any) -> None:
        """Agree on the time, before the learning rate goes by it."""
        self.agreement.update(trainer)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Measure a batch; ask for the end when the budget is used up."""
        now = time.monotonic()
        if self._last_end is not None and len(self._intervals) < N_WARMUP + N_MEASURED:
            self._intervals.append(now - self._last_end)
            if not self._has_validated:  # it has no backward pass: the time of as many training batches is enough
                self.budget.own_validation_seconds = max(
                    self.budget.own_validation_seconds, self.batch_seconds * _n_validation_batches(trainer)
                )
            if len(self._intervals) == N_WARMUP + N_MEASURED:
                self.say(self._forecast(trainer))
        self._last_end = now
        if self.budget.is_over(trainer.global_step):
            trainer.should_stop = True

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Start to measure."""
        self._validation_start = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Measure a validation; ask for the end when another one would be too late."""
        if self._validation_start is not None:
            self.budget.own_validation_seconds = time.monotonic() - self._validation_start
            self._has_validated = True
        self.agreement.update(trainer)
        self._last_end = None  # the time to the end of the next batch is not that of a batch
        if self.budget.is_over(trainer.global_step):
            trainer.should_stop = True

    @property
    def batch_seconds(self) -> float:
        """Seconds a batch takes, after warm-up if it is over."""
        steady = self._intervals[N_WARMUP:]
        return sum(steady) / len(steady) if steady else min(self._intervals, default=0.0)

    def _forecast(self, trainer: Trainer) -> str:
        """Return when the run will be done, and why then."""
        seconds, by_steps = time_left(self.budget, trainer, self.batch_seconds)
        reason = (
            f"after {self.budget.n_steps} steps"
            if by_steps
            else f"when its {self.budget.seconds / 60:g} minutes are over"
        )
        end = (datetime.now(UTC) + timedelta(seconds=seconds)).astimezone()
        return (
            f"a step takes {duration_text(self.batch_seconds * trainer.accumulate_grad_batches)}: done {reason}, "
            f"in about {duration_text(seconds)} ({end:%Y-%m-%d %H:%M})"
        )


def time_left(budget: Budget, trainer: Trainer, batch_seconds: float) -> tuple[float, bool]:
    """
    Return how long a run will go on, validations included.

    Parameters
    ----------
    budget : Budget
    trainer : Trainer
        That is fitting.
    batch_seconds : float
        What a batch takes.

    Returns
    -------
    seconds : float
    by_steps : bool
        Whether its steps end it, and not its time.
    """
    n_batches = (budget.n_steps - trainer.global_step) * trainer.accumulate_grad_batches
    n_validations = math.ceil(n_batches / trainer.num_training_batches)
    by_steps = n_batches * batch_seconds + n_validations * budget.validation_seconds
    by_clock = max(0.0, budget.seconds - budget.elapsed)
    return min(by_steps, by_clock), by_steps <= by_clock


def _n_validation_batches(trainer: Trainer) -> int:
    """Return the number of batches of a validation."""
    return int(sum(trainer.num_val_batches))
