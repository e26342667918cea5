"""How far a run is: a bar where somebody is watching, a line now and then where only a file is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column

from hail_mri.training.running.budget import Budget, duration_text
from hail_mri.training.running.throughput import throughput_of
from hail_mri.training.running.timekeeper import time_left

LINE_SECONDS = 60.0  # between lines in a file
REFRESH_SECONDS = 0.5  # of a bar
BAR_WIDTH = 20  # characters


class Progress(Callback):
    """Show losses, samples per second and the time left of the whole run, on stderr if that is a terminal.

    Parameters
    ----------
    budget : Budget
    say : callable
        Takes one line at a time, where there is no terminal.
    """

    def __init__(self, budget: Budget, say: Callable[[str], None]) -> None:
        self.budget, self.say = budget, say
        self._bar: Bar | None = None
        self._shown_at = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Begin with a bar, or without."""
        self._shown_at = time.monotonic()
        if trainer.is_global_zero and sys.stderr.isatty():
            text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True))
            # Without a thread of its own, which processes that make samples would inherit.
            self._bar = Bar(
                BarColumn(BAR_WIDTH), TaskProgressColumn(), text, console=Console(stderr=True), auto_refresh=False
            )
            self._bar.add_task("", total=1.0)
            self._bar.start()

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Show how far the run is, if it is time."""
        self._show(trainer, REFRESH_SECONDS if self._bar else LINE_SECONDS)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Say what takes time now."""
        if self._bar:
            self._show(trainer, 0.0, " (validating)")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Leave the terminal as it was."""
        if self._bar:
            self._show(trainer, 0.0)
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:  # noqa: ARG002
        """Leave the terminal as it was."""
        self._stop()

    def _show(self, trainer: Trainer, seconds: float, doing: str = "") -> None:
        """Show how far the run is, if that was not shown within some seconds."""
        now = time.monotonic()
        if not trainer.is_global_zero or now - self._shown_at < seconds:
            return
        self._shown_at = now
        text = progress_text(self.budget, trainer) + doing
        if self._bar:
            self._bar.update(
                self._bar.task_ids[0], completed=self.budget.progress(trainer.global_step), description=text
            )
            self._bar.refresh()
        else:
            self.say(text)

    def _stop(self) -> None:
        """End the bar, if there is one."""
        if self._bar:
            self._bar.stop()
        self._bar = None


def progress_text(budget: Budget, trainer: Trainer) -> str:
    """Return step, losses, samples per second and time left of a run."""
    throughput = throughput_of(trainer)
    losses = ", ".join(f"{name} {float(loss):.4g}" for name, loss in trainer.progress_bar_metrics.items())
    seconds, _ = time_left(budget, trainer, throughput.batch_seconds)
    rate = f"{throughput.per_second:.3g} {throughput.unit.name}/s, about {duration_text(seconds)} left"
    return f"step {trainer.global_step} of {budget.n_steps}: {losses}; {rate}"
