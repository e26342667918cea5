"""A network of one number, which learns as slowly as a test wants."""

import time

import lightning
import pytest
import torch
from torch.utils.data import DataLoader

from hail_mri.training.running.budget import Budget
from hail_mri.training.running.throughput import SCANS
from hail_mri.training.running.trainer import make_trainer

N_VALIDATION = 4


class OneNumber(lightning.LightningModule):
    """Learn a number slowly: each step and each batch of validation sleeps."""

    def __init__(self, step_seconds, validation_seconds, fail_at, not_finite_at):
        super().__init__()
        self.number = torch.nn.Parameter(torch.ones(1))
        self.step_seconds, self.validation_seconds, self.fail_at = step_seconds, validation_seconds, fail_at
        self.n_validations, self.not_finite_at = 0, not_finite_at

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)

    def training_step(self, batch):
        if self.global_step == self.fail_at:
            raise RuntimeError("power cut")
        time.sleep(self.step_seconds)
        loss = (self.number * batch).square().sum()
        self.log("train_loss", loss.detach(), prog_bar=True)
        return loss * float("nan") if self.global_step in self.not_finite_at else loss

    def validation_step(self, batch):
        time.sleep(self.validation_seconds / N_VALIDATION)
        self.log("validation_loss", self.number.square().sum() + 0 * batch.sum())

    def on_validation_end(self):
        self.n_validations += 1


@pytest.fixture
def run():
    """Return a function that fits; it returns the module, the trainer, what was said and the seconds it took."""

    def fit(
        folder,
        *,
        n_steps,
        minutes=float("inf"),
        epoch=1000,
        step_seconds=0.01,
        validation_seconds=0.01,
        fail_at=None,
        not_finite_at=(),
        **options,
    ):
        budget, lines = Budget(n_steps, minutes), []
        trainer = make_trainer(
            folder,
            budget,
            precision="32-true",
            ema_decay=0.0,
            gradient_clip=1.0,
            unit=SCANS,
            say=lines.append,
            **options,
        )
        module = OneNumber(step_seconds, validation_seconds, fail_at, not_finite_at)
        loaders = DataLoader(torch.ones(epoch)), DataLoader(torch.ones(N_VALIDATION))
        trainer.fit(module, *loaders, ckpt_path=options.get("checkpoint"), weights_only=True)
        return module, trainer, lines, budget.elapsed

    return fit
