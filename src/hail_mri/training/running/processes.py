"""Several processes, on one machine or many, that learn as one: each from its part of every batch.

The first process decides for all: its clock says when a checkpoint is due and when the run is over, it prepares what
is learned from, and it alone writes and speaks.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sized
from dataclasses import dataclass
from types import FrameType

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy, Strategy
from lightning.pytorch.utilities.rank_zero import rank_zero_only  # type: ignore[attr-defined]

from hail_mri.errors import InputError
from hail_mri.training.running.budget import Budget

PARENT_KEY = "HAIL_MRI_FIRST_PROCESS"  # environment variable: its number
PARENT_SECONDS = 1.0  # between looks whether the process that started this one is there


@dataclass(frozen=True)
class Processes:
    """One process a device.

    Attributes
    ----------
    n_devices : int
        GPUs of each machine; CPU processes where there is no GPU.
    n_machines : int

    Raises
    ------
    InputError
        If there are none, or more than this machine has GPUs.
    """

    n_devices: int = 1
    n_machines: int = 1

    def __post_init__(self) -> None:
        if self.n_devices < 1 or self.n_machines < 1:
            raise InputError(f"{self.n_devices} devices on {self.n_machines} machines, expected at least one")
        if torch.cuda.is_available() and self.n_devices > torch.cuda.device_count():
            raise InputError(f"this machine has {torch.cuda.device_count()} GPUs, expected at least {self.n_devices}")

    def __len__(self) -> int:
        """Return how many there are."""
        return self.n_devices * self.n_machines

    def strategy(self) -> Strategy | str:
        """Return how Lightning makes one run of them."""
        return DDPStrategy() if len(self) > 1 else "auto"


ALONE = Processes()


class Agreement:
    """What all processes of a run take as true at the same step: the time, and whether the run was asked to end.

    A decision that each took by itself would be one for some of them, who would wait for the others for ever.

    Parameters
    ----------
    budget : Budget
        Goes by the first process's clock from the first `update` on, if there are several.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._asked, self._all_know = False, False

    def is_asked_to_end(self, trainer: Trainer) -> bool:
        """Return whether a SIGTERM came, to any process, as far as all know."""
        return self._all_know if trainer.world_size > 1 else bool(trainer.received_sigterm)

    def take_sigterm(self, trainer: Trainer) -> None:
        """Let a SIGTERM wait for the end of a step; Lightning would send messages from wherever it is."""
        if trainer.world_size > 1 and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._ask)

    def update(self, trainer: Trainer) -> None:
        """Agree; all processes have to call this at the same step."""
        if trainer.world_size == 1:
            return
        budget, is_first = self.budget, trainer.is_global_zero
        own = [float(self._asked), budget.own_elapsed * is_first, budget.own_validation_seconds * is_first]
        known = torch.tensor(own, dtype=torch.float64, device=trainer.strategy.root_device)
        asked, elapsed, validation_seconds = trainer.strategy.reduce(known, reduce_op="sum").tolist()
        self._all_know = asked > 0
        budget.agree(elapsed, validation_seconds)

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Remember that the run is to end."""
        self._asked = True


def weight_in_validation(module: LightningModule, batch: Sized) -> int:
    """Return the weight of a batch in the mean over all processes, which may have unequal numbers of scans.

    Lightning divides the sum of the weights by the number of processes, and rounds it down.
    """
    return len(batch) * int(module.trainer.world_size)


def is_first_process() -> bool:
    """Return whether this process is the one that writes and speaks; known once there is a trainer."""
    return bool(rank_zero_only.rank == 0)  # type: ignore[attr-defined]


def said_once(say: Callable[[str], None]) -> Callable[[str], None]:
    """Return what says the lines of the first process, and of no other."""
    return lambda line: say(line) if is_first_process() else None


def end_with_parent() -> None:
    """End a process that Lightning started when the one that had it started is gone: its messages will not come.

    To be called by all before there is a trainer; those that a scheduler or a person starts are theirs to end.
    """
    if "LOCAL_RANK" not in os.environ:
        os.environ[PARENT_KEY] = str(os.getpid())  # the others are started with these variables
    elif (parent := os.environ.get(PARENT_KEY, str(os.getpid()))) != str(os.getpid()):
        threading.Thread(target=_watch, args=(int(parent),), daemon=True, name="parent-watch").start()


def let_first_speak(trainer: Trainer) -> None:
    """Wait a little, after a failed message, for the end of the first process: it may have said why."""
    if not trainer.is_global_zero:
        time.sleep(3 * PARENT_SECONDS)


def _watch(parent: int) -> None:
    """Look for the parent until it is gone."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os._exit(1)
