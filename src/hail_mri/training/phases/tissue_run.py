"""A training run of the tissue network: settings and label maps in, a folder with checkpoints, curves and weights out.

The folder (see `run_folder`) ends with `tissues.safetensors` and its model card, if validation got better than it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import lightning
import torch

from hail_mri.errors import InputError
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import ModelCard, load_model, save_model
from hail_mri.training.data.epochs import Epochs, EpochSizes
from hail_mri.training.data.label_map_split import split_label_maps
from hail_mri.training.data.simulated_scans import draw_scan
from hail_mri.training.data.simulator import Simulator
from hail_mri.training.data.source import SampleSource
from hail_mri.training.example import Draw
from hail_mri.training.phases.tissue_phase import TissuePhase
from hail_mri.training.running.budget import Budget
from hail_mri.training.running.checkpoints import load_best
from hail_mri.training.running.precision import Chosen, choose_precision
from hail_mri.training.running.processes import ALONE, Processes, said_once
from hail_mri.training.running.run_folder import RunFolder, begin_run, find_checkpoint, finish_run
from hail_mri.training.running.throughput import SCANS, throughput_of
from hail_mri.training.running.trainer import fit, make_trainer
from hail_mri.training.settings import TissueTrainingSettings, load_tissue_settings

NAME = "tissues"
GRADIENT_CLIP = 1.0  # norm


def train_tissues(
    config_path: str | Path,
    out_dir: str | Path,
    *,
    label_maps_dir: str | Path,
    init: str | Path | None = None,
    minutes: float = math.inf,
    resume: bool = False,
    say: Callable[[str], None] = print,
    draw: Draw | None = None,
    processes: Processes = ALONE,
) -> Path | None:
    """
    Train the tissue network on simulated scans; parameters and errors as of `paper_run.train`.

    Returns
    -------
    path : Path or None
        The weights, a safetensors file with a model card beside it; None if validation did not get better than that of
        the weights in `init`.
    """
    settings, split = load_tissue_settings(config_path), split_label_maps(label_maps_dir)
    budget, folder = Budget(settings.tissues.n_steps, minutes), RunFolder(Path(out_dir), NAME)
    n_processes, say = len(processes), said_once(say)
    checkpoint = find_checkpoint(folder, Path(config_path), init, resume=resume, n_processes=n_processes)
    precision, reason = choose_precision(settings.tissues.precision, alone=n_processes == 1)
    source = Simulator(split, folder.heads_dir, settings.data, partial(draw_scan, patch=settings.data.patch))
    network, before = _first_network(settings, init)

    def prepare() -> None:
        source.prepare(budget, say)
        if checkpoint is None:
            begin_run(folder, Path(config_path), init, n_processes)
        say(f"training in {precision} ({reason}), {torch.get_num_threads()} threads")

    lightning.seed_everything(settings.data.seed, workers=True, verbose=False)
    module = TissuePhase(network, settings.tissues, budget)
    n_before = before.n_steps if before else 0
    sizes = _sizes(settings, n_processes)
    data = Epochs(source, sizes, first=n_before * sizes.n_per_step, prepare=prepare)
    make = partial(make_trainer, folder.phase_dir, budget, precision=precision, unit=SCANS, gradient_clip=GRADIENT_CLIP)
    ema_decay = settings.tissues.ema_decay
    trainer = make(ema_decay=ema_decay, checkpoint=checkpoint, say=say, draw=draw, processes=processes)
    with flushed_denormals():
        loss_before = math.inf if before is None else _validation_loss(module, data, precision, processes, say=say)
        fit(trainer, module, data, checkpoint, say=say)
    if not trainer.is_global_zero:
        return folder.weights_path
    card = _card(settings, source, folder, n_steps=n_before + trainer.global_step, precision=f"{precision}: {reason}")
    path = _write_best(network, folder, card, loss_before, say=say)
    rate = throughput_of(trainer).summary
    finish_run(folder, n_steps=trainer.global_step, seconds=budget.elapsed, has_weights=path is not None, rate=rate)
    return path


def _sizes(settings: TissueTrainingSettings, n_processes: int) -> EpochSizes:
    """Return how many scans make what."""
    data, section = settings.data, settings.tissues
    n_per_epoch = section.steps_per_epoch * section.scans_per_step * n_processes
    return EpochSizes(n_per_epoch, section.scans_per_step, data.n_validation_scans, data.n_workers, n_processes)


def _card(
    settings: TissueTrainingSettings, source: SampleSource, folder: RunFolder, *, n_steps: int, precision: str
) -> ModelCard:
    """Return the model card of the best weights of a run."""
    return ModelCard(
        name=folder.out_dir.name,
        phase=NAME,
        network=settings.network.to_settings(),
        spacing_mm=settings.data.spacing_mm,
        training_data=source.names["train"],
        validation_data=source.names["validation"],
        date=datetime.now(UTC).date().isoformat(),
        n_steps=n_steps,
        validation_loss=load_best(folder.phase_dir)[1],
        precision=precision,
    )


def _write_best(
    network: TissueNetwork, folder: RunFolder, card: ModelCard, loss_before: float, *, say: Callable[[str], None]
) -> Path | None:
    """Write the best weights of a run, if they are better than those it started from."""
    if not card.validation_loss < loss_before:
        say(f"validation loss {card.validation_loss:.4f}, not below {loss_before:.4f}: no weights are written")
        return None
    network = network.cpu().float()
    network.load_state_dict(load_best(folder.phase_dir)[0])
    # Half precision on disk: half the size, and the shares of a whole head differ by at most 0.002.
    path = save_model(network.half(), card, folder.weights_path)
    say(f"validation loss {card.validation_loss:.4f}, below {loss_before:.4f}: weights are written to {path}")
    return path


def _first_network(settings: TissueTrainingSettings, init: str | Path | None) -> tuple[TissueNetwork, ModelCard | None]:
    """Return the network to start from, and its card if it has learned before."""
    wanted = settings.network.to_settings()
    if init is None:
        torch.manual_seed(settings.data.seed)
        return TissueNetwork(wanted), None
    network, card = load_model(init)
    if not isinstance(network, TissueNetwork) or network.settings != wanted:
        raise InputError(f"{init} holds a network of {network.settings}, the settings ask for {wanted}")
    return network.train().requires_grad_(True), card


def _validation_loss(
    module: TissuePhase, data: Epochs, precision: Chosen, processes: Processes, *, say: Callable[[str], None]
) -> float:
    """Return the loss of a network as it is, on the validation scans of this run; learn what a validation takes."""
    trainer = lightning.Trainer(
        precision=precision,
        devices=processes.n_devices,
        num_nodes=processes.n_machines,
        strategy=processes.strategy(),
        use_distributed_sampler=False,
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
    )
    start = module.budget.elapsed
    loss = float(trainer.validate(module, data, verbose=False)[0]["validation_loss"])
    module.budget.own_validation_seconds = module.budget.elapsed - start
    say(f"validation loss of the weights to start from: {loss:.4f}")
    return loss
