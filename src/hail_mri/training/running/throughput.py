"""How many samples a run learns from in a second."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

N_RECENT = 50  # batches that the present rate is the mean of


@dataclass(frozen=True)
class Unit:
    """What samples are counted in.

    Attributes
    ----------
    name : str
        In the plural.
    n_scans : int
        Entries of a batch that one sample makes.
    """

    name: str
    n_scans: int


SCANS = Unit("scans", 1)
PAIRS = Unit("pairs", 2)  # both directions


class Throughput(Callback):
    """Log the samples per second of training, of all processes together; validation does not count.

    Parameters
    ----------
    unit : Unit
    """

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self._recent: deque[tuple[float, float]] = deque(maxlen=N_RECENT)  # samples and seconds of a batch
        self._n_samples, self._seconds, self._last_end = 0.0, 0.0, 0.0

    @property
    def name(self) -> str:
        """What the rate is called in logs."""
        return f"{self.unit.name}_per_second"

    @property
    def per_second(self) -> float:
        """Samples per second at present."""
        n_samples, seconds = (sum(column) for column in zip(*self._recent, strict=True)) if self._recent else (0.0, 0.0)
        return n_samples / seconds if seconds else 0.0

    @property
    def mean_per_second(self) -> float:
        """Samples per second over all parts of the run."""
        return self._n_samples / self._seconds if self._seconds else 0.0

    @property
    def summary(self) -> dict[str, float]:
        """What is kept of a finished run."""
        return {self.name: round(self.mean_per_second, 3)}

    @property
    def batch_seconds(self) -> float:
        """Seconds of a batch at present."""
        return sum(seconds for _, seconds in self._recent) / len(self._recent) if self._recent else 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of this."""
        return {"n_samples": self._n_samples, "seconds": self._seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take what a checkpoint has kept."""
        self._n_samples, self._seconds = state_dict["n_samples"], state_dict["seconds"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Start the clock."""
        self._last_end = time.monotonic()

    def on_train_batch_end(  # noqa: PLR0913, RUF100
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ARG002
        batch: Any,
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Count a batch."""
        now = time.monotonic()
        n_samples, seconds = len(batch) / self.unit.n_scans * trainer.world_size, now - self._last_end
        self._recent.append((n_samples, seconds))
        self._n_samples, self._seconds, self._last_end = self._n_samples + n_samples, self._seconds + seconds, now
        pl_module.log(self.name, self.per_second, batch_size=1)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Start the clock again."""
        self._last_end = time.monotonic()


def throughput_of(trainer: Trainer) -> Throughput:
    """Return who counts the samples of a trainer."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return next(callback for callback in callbacks if isinstance(callback, Throughput))
