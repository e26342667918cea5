"""A step whose gradient is not finite is not taken: one NaN in it would be in every weight after it.

Nor is one whose gradient is finite, but so large that the squares of its numbers are not: Adam keeps a mean of squares,
and a weight whose mean is infinite would never move again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch.optim import Optimizer

from hail_mri.errors import InputError

LARGEST = 1e19  # norm of a gradient; its square is just below the largest number of single precision
MAX_LEFT_OUT = 20  # steps in a row; the scaler of fp16 needs up to 17 to find its scale


class FiniteSteps(Callback):
    """Leave out steps whose gradient is not finite, or larger than `LARGEST`, and say so.

    A run that has nothing but such steps ends.

    Parameters
    ----------
    say : callable
        Takes one line at a time.

    Raises
    ------
    InputError
        If more than `MAX_LEFT_OUT` steps in a row were left out.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._n_in_a_row = 0

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:  # noqa: ARG002
        """Take gradients away that cannot be followed; an optimizer leaves weights without one alone."""
        if drop_unless_finite(optimizer):
            self._n_in_a_row = 0
            return
        self._n_in_a_row += 1
        if self._n_in_a_row == 1:
            self.say(
                f"the gradient of step {trainer.global_step + 1} is not finite, or larger than {LARGEST:g}: "
                "the step is left out"
            )
        if self._n_in_a_row > MAX_LEFT_OUT:
            raise InputError(
                f"the gradients of {self._n_in_a_row} steps in a row are not finite, or larger than {LARGEST:g}, "
                f"the last of them step {trainer.global_step + 1}",
                hint="The training has diverged: use a lower learning rate, a clipped gradient or single precision, "
                "from the best weights so far (--init).",
            )


def drop_unless_finite(optimizer: Optimizer) -> bool:
    """Return whether an optimizer can follow the gradient that it is about to; if not, take the gradient away."""
    parameters: list[Any] = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    if not parameters or torch.nn.utils.get_total_norm([p.grad for p in parameters]) < LARGEST:  # no NaN is
        return True
    for parameter in parameters:
        parameter.grad = None
    return False
