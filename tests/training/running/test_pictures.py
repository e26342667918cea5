"""When pictures of a validation sample are drawn, on a network that learns nothing but one number."""

import lightning
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from hail_mri.training.example import Example
from hail_mri.training.running import pictures
from hail_mri.training.running.budget import Budget
from hail_mri.training.running.throughput import SCANS
from hail_mri.training.running.trainer import make_trainer


class Losses(lightning.LightningModule):
    """Have given validation losses, one an epoch."""

    def __init__(self, losses):
        super().__init__()
        self.number, self.losses = torch.nn.Parameter(torch.ones(1)), iter(losses)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def training_step(self, batch):
        return (self.number * batch).sum()

    def on_validation_start(self):
        self.loss = next(self.losses)

    def validation_step(self, batch):
        self.log("validation_loss", self.loss, batch_size=len(batch))

    def example(self, batch):
        assert not self.training
        assert not torch.is_grad_enabled()
        return Example({"number": np.full((2, 2, 2), self.number.item()), "batch": batch.numpy()})


@pytest.fixture
def fit(tmp_path):
    """Return a function that fits and returns the steps, examples and titles of pictures."""

    def run(losses, ema_decay=0.0):
        drawn = []

        def draw(example, path, title):
            drawn.append((int(path.stem.removeprefix("step_")), example, title))
            return np.zeros((4, 4, 3), np.uint8)

        trainer = make_trainer(
            tmp_path,
            Budget(len(losses)),
            precision="32-true",
            ema_decay=ema_decay,
            gradient_clip=0.0,
            unit=SCANS,
            say=print,
            draw=draw,
        )
        module = Losses(losses)
        trainer.fit(module, DataLoader(torch.ones(1)), DataLoader(torch.arange(3.0)))
        return drawn, module

    return run


def test_pictures_are_drawn_of_the_first_validation_and_of_every_best_one(fit, monkeypatch):
    monkeypatch.setattr(pictures, "PICTURE_SECONDS", 0.0)
    drawn, _ = fit([3.0, 4.0, 2.0, float("nan"), 2.0, 1.0])
    assert [step for step, _, _ in drawn] == [1, 3, 6]
    assert drawn[1][2] == "after step 3, validation loss 2"


def test_pictures_are_not_drawn_too_often(fit):
    assert [step for step, _, _ in fit([3.0, 2.0, 1.0])[0]] == [1]


def test_the_first_sample_is_drawn_with_the_averaged_weights_and_the_others_are_back_afterwards(fit, monkeypatch):
    monkeypatch.setattr(pictures, "PICTURE_SECONDS", 0.0)
    drawn, module = fit([3.0, 2.0], ema_decay=0.5)
    numbers = [example.scans["number"].max() for _, example, _ in drawn]
    assert numbers == pytest.approx([0.9, 0.85])  # the average begins with the first step; the number itself is 0.8 now
    assert all(example.scans["batch"].tolist() == [0.0] for _, example, _ in drawn)
    assert module.number.item() == pytest.approx(0.85)  # Lightning leaves the average at the end


def test_tensorboard_has_the_same_pictures_at_the_steps_of_the_losses(fit, tmp_path):
    fit([3.0, 2.0])
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    (image,) = events.Images("validation_sample")
    assert (image.step, image.width) == (0, 4)
