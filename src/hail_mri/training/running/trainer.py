"""The Lightning trainer of a run, the same for all phases."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, WeightAveraging
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch.optim.swa_utils import get_ema_multi_avg_fn

from hail_mri.training.example import Draw
from hail_mri.training.running.budget import Budget
from hail_mri.training.running.checkpoints import Checkpoints, step_of
from hail_mri.training.running.finite_steps import FiniteSteps
from hail_mri.training.running.pictures import Pictures
from hail_mri.training.running.precision import Chosen
from hail_mri.training.running.processes import ALONE, Agreement, Processes, end_with_parent, let_first_speak
from hail_mri.training.running.progress import Progress
from hail_mri.training.running.throughput import Throughput, Unit
from hail_mri.training.running.timekeeper import Timekeeper

LOG_STEPS = 20
EXIT_TERMINATED = 128 + signal.SIGTERM


def fit(
    trainer: lightning.Trainer,
    module: lightning.LightningModule,
    data: lightning.LightningDataModule,
    checkpoint: Path | None,
    *,
    say: Callable[[str], None],
) -> None:
    """
    Train until the budget is used up.

    Parameters
    ----------
    trainer, module, data
    checkpoint : Path or None
        To go on from.
    say : callable
        Takes one line at a time.

    Raises
    ------
    SystemExit
        With the status of a process that SIGTERM ends, when one comes: schedulers send it before they kill. The step is
        finished and kept first, unless a validation is next, which is cut short, or the step has more batches to come:
        then what was kept before holds.
    """
    try:
        trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    except SIGTERMException:
        checkpoints = trainer.checkpoint_callback
        is_kept = isinstance(checkpoints, Checkpoints) and checkpoints.last_path.is_file()
        say("asked to end: go on with --resume" if is_kept else "asked to end before there was anything to keep")
        # What the first process says is said for all; others that failed would have it killed.
        raise SystemExit(EXIT_TERMINATED if trainer.is_global_zero else 0) from None
    except RuntimeError:
        let_first_speak(trainer)
        raise


def make_trainer(
    folder: Path,
    budget: Budget,
    *,
    precision: Chosen,
    ema_decay: float,
    gradient_clip: float,
    unit: Unit,
    say: Callable[[str], None],
    batches_per_step: int = 1,
    checkpoint: Path | None = None,
    draw: Draw | None = None,
    processes: Processes = ALONE,
) -> lightning.Trainer:
    """
    Return a trainer with checkpoints, logs, progress, pictures, averaged weights and an end in time.

    Parameters
    ----------
    folder : Path
        For checkpoints, `log/` (CSV, a table for each part of the run), `tensorboard/` and `pictures/`.
    budget : Budget
        Steps and wall time.
    precision : "32-true", "16-mixed" or "bf16-mixed"
    ema_decay : float
        Of the exponential average of the weights, a step; 0 for none.
    gradient_clip : float
        The largest norm a gradient may have; 0 for any.
    unit : Unit
        What samples are counted in.
    say : callable
        Takes one line at a time.
    batches_per_step : int
        Over how many batches the gradient is averaged before a step is taken: as much as one batch as large, in less
        memory.
    checkpoint : Path, optional
        That the run goes on from: TensorBoard forgets what was logged after it.
    draw : callable, optional
        Makes pictures of a validation sample.
    processes : Processes
        That learn together.
    """
    if len(processes) > 1:
        end_with_parent()
    callbacks = _watching(folder, budget, unit, say=say, draw=draw)
    if ema_decay:
        # Interpolated, so that weights that do not learn keep their bits; `EMAWeightAveraging` rounds them.
        callbacks.append(WeightAveraging(multi_avg_fn=get_ema_multi_avg_fn(ema_decay)))
    return lightning.Trainer(
        max_steps=budget.n_steps,
        precision=precision,
        accelerator="auto",
        devices=processes.n_devices,
        num_nodes=processes.n_machines,
        strategy=processes.strategy(),
        use_distributed_sampler=False,  # the samples know of the processes themselves
        gradient_clip_val=gradient_clip or None,
        accumulate_grad_batches=batches_per_step,
        reload_dataloaders_every_n_epochs=1,
        logger=[
            CSVLogger(folder, name="log"),
            TensorBoardLogger(folder, "tensorboard", "", default_hp_metric=False, purge_step=step_of(checkpoint)),
        ],
        callbacks=callbacks,
        enable_progress_bar=False,  # Lightning's own fills log files with carriage returns
        log_every_n_steps=LOG_STEPS,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _watching(
    folder: Path, budget: Budget, unit: Unit, *, say: Callable[[str], None], draw: Draw | None
) -> list[Callback]:
    """Return who keeps time and checkpoints, and who shows how it goes."""
    agreement = Agreement(budget)
    callbacks: list[Callback] = [Throughput(unit), Timekeeper(agreement, say), Progress(budget, say), FiniteSteps(say)]
    callbacks += [Checkpoints(folder, agreement), LearningRateMonitor(logging_interval="step")]
    if draw is not None:  # to come before those who put the averaged weights away after a validation
        callbacks.append(Pictures(folder / "pictures", draw))
    return callbacks
