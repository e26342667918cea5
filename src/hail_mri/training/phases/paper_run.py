"""A training run of the paper's phases: settings and scans in, a folder with checkpoints, curves and the model out.

The folder (see `run_folder`) ends with `<phase>.safetensors` and its model card: the best weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch

from hail_mri.errors import InputError, MissingFileError
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.weights import ModelCard, load_feature_network, save_model
from hail_mri.training.data.epochs import Epochs, EpochSizes
from hail_mri.training.data.scan_split import Phase, ScanSplit, write_split
from hail_mri.training.data.source import SampleSource
from hail_mri.training.example import Draw
from hail_mri.training.phases.encoder_phase import EncoderPhase
from hail_mri.training.phases.known_scans import teach_known_styles
from hail_mri.training.phases.paper_source import PairFiles, make_source, whole_scans
from hail_mri.training.phases.style_phase import StylePhase
from hail_mri.training.running.budget import Budget, duration_text
from hail_mri.training.running.checkpoints import load_best
from hail_mri.training.running.precision import choose_precision
from hail_mri.training.running.processes import ALONE, Processes, said_once
from hail_mri.training.running.run_folder import RunFolder, begin_run, find_checkpoint, finish_run
from hail_mri.training.running.throughput import PAIRS, throughput_of
from hail_mri.training.running.trainer import fit, make_trainer
from hail_mri.training.settings import PhaseSection, TrainingSettings, load_settings


@dataclass(frozen=True)
class _Learned:
    """What the weights of a phase were learned from, and how."""

    source: SampleSource
    split: ScanSplit | None
    n_steps: int
    precision: str

    @property
    def limits(self) -> str:
        """What the model card says of them."""
        if self.split is None:
            return "T1-weighted heads; trained on simulated scans only; not a medical device."
        held_out = ", ".join(self.split.held_out) or "none"
        return f"T1-weighted heads like those it was trained on; sites held out: {held_out}; not a medical device."


def train(
    phase: Phase,
    config_path: str | Path,
    out_dir: str | Path,
    *,
    files: PairFiles,
    init: str | Path | None = None,
    minutes: float = math.inf,
    resume: bool = False,
    say: Callable[[str], None] = print,
    draw: Draw | None = None,
    processes: Processes = ALONE,
) -> Path:
    """
    Train one phase of the paper on pairs of scans.

    Parameters
    ----------
    phase : "encoder" or "style"
    config_path : path
        TOML settings, see `configs/`.
    out_dir : path
        The run's folder; phase 2 finds the result of phase 1 in it.
    files : PairFiles
        Real scans, label maps to simulate others of, or both.
    init : path or str, optional
        Weights to start from, instead of the result of phase 1.
    minutes : float
        When to end, in minutes of wall time from this call; the settings' epochs may be sooner. Placing heads,
        validation and what a resumed run had used all count; measuring the styles of training scans, which comes last
        and takes ten minutes at most, does not. One step and one validation are always made.
    resume : bool
        Go on from the last checkpoint, with the next step.
    say : callable
        Takes one line about the run at a time.
    draw : callable, optional
        Makes pictures of a validation pair, see `Draw`.
    processes : Processes
        That learn together, a batch each; of several all call this, and the first alone speaks and writes.

    Returns
    -------
    path : Path
        The weights, a safetensors file with a model card beside it, once the first process has returned.

    Raises
    ------
    InputError, MissingFileError, OutputExistsError
        If the settings, the scans, the label maps, the weights to start from or the folder cannot be used; if the run
        is finished; if the time is over before all scans are prepared or heads placed.
    """
    settings = load_settings(config_path)
    section = settings.encoder if phase == "encoder" else settings.style
    n_processes, sizes = len(processes), _sizes(settings, section, len(processes))
    budget, folder = Budget(section.n_steps_of(n_processes), minutes), RunFolder(Path(out_dir), phase)
    source, split = make_source(files, settings, phase, folder.out_dir)
    init, say = _init(phase, folder, init), said_once(say)
    checkpoint = find_checkpoint(folder, Path(config_path), init, resume=resume, n_processes=n_processes)
    precision, reason = choose_precision(section.precision, alone=n_processes == 1)
    lightning.seed_everything(settings.data.seed, workers=True, verbose=False)
    module = _module(_network(settings, init), settings, phase, budget)

    def prepare() -> None:
        if split is not None:
            write_split(split, folder.split_path, has_begun=folder.has_begun)
        source.prepare(budget, say)
        if checkpoint is None:
            begin_run(folder, Path(config_path), init, n_processes)
        say(f"training in {precision} ({reason}), {torch.get_num_threads()} threads")

    make = partial(make_trainer, folder.phase_dir, budget, precision=precision, unit=PAIRS, **_optimization(section))
    trainer = make(checkpoint=checkpoint, say=say, draw=draw, processes=processes)
    with flushed_denormals():
        fit(trainer, module, Epochs(source, sizes, prepare=prepare), checkpoint, say=say)
    if not trainer.is_global_zero:
        return folder.weights_path
    learned = _Learned(source, split, trainer.global_step, f"{precision}: {reason}")
    scans = whole_scans(files, settings, phase, folder.out_dir, say)
    path = _write_best(module.network, settings, folder, learned)
    spacing, device = settings.data.spacing_mm, trainer.strategy.root_device
    teach_known_styles(path, module.network, scans, spacing=spacing, device=device, say=say)
    say(f"{trainer.global_step} steps in {duration_text(budget.elapsed)}: weights are written to {path}")
    rate = throughput_of(trainer).summary
    finish_run(folder, n_steps=trainer.global_step, seconds=budget.elapsed, has_weights=True, rate=rate)
    return path


def _optimization(section: PhaseSection) -> dict[str, Any]:
    """Return how steps are taken, as the trainer takes it."""
    return {
        "ema_decay": section.ema_decay,
        "gradient_clip": section.gradient_clip,
        "batches_per_step": section.batches_per_step,
    }


def _sizes(settings: TrainingSettings, section: PhaseSection, n_processes: int) -> EpochSizes:
    """Return how many pairs make what."""
    data = settings.data
    return EpochSizes(
        section.pairs_per_epoch, section.pairs_per_batch, data.n_validation_pairs, data.n_workers, n_processes
    )


def _init(phase: Phase, folder: RunFolder, init: str | Path | None) -> str | Path | None:
    """Return the weights to start from: those asked for, or of phase 1, or none."""
    if phase == "encoder" or init is not None:
        return init
    encoder_path = RunFolder(folder.out_dir, "encoder").weights_path
    if not encoder_path.exists():
        raise MissingFileError(
            f"{encoder_path} is not there", hint="Run `hail-mri train encoder` first, or give --init."
        )
    return encoder_path


def _network(settings: TrainingSettings, init: str | Path | None) -> FeatureStyleNetwork:
    """Return the network to start from: fresh, or with weights."""
    wanted = settings.network.to_settings()
    if init is None:
        return FeatureStyleNetwork(wanted, settings.network.initialization)
    network, _ = load_feature_network(init)
    if network.settings != wanted:
        raise InputError(f"{init} holds a network of {network.settings}, the settings ask for {wanted}")
    return network.train().requires_grad_(True)


def _module(
    network: FeatureStyleNetwork, settings: TrainingSettings, phase: Phase, budget: Budget
) -> EncoderPhase | StylePhase:
    """Return the Lightning module of a phase."""
    if phase == "encoder":
        return EncoderPhase(network, settings.encoder, budget)
    return StylePhase(network, settings.style, settings.losses, budget)


def _write_best(network: FeatureStyleNetwork, settings: TrainingSettings, folder: RunFolder, learned: _Learned) -> Path:
    """Write the best weights of a phase with their model card; the network has them, on the CPU."""
    weights, loss = load_best(folder.phase_dir)
    network = network.cpu().float().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    network.load_state_dict(weights)
    network.eval()
    card = ModelCard(
        name=f"{folder.out_dir.name}-{folder.phase}",
        phase=folder.phase,
        network=network.settings,
        spacing_mm=settings.data.spacing_mm,
        training_data=learned.source.names["train"],
        validation_data=learned.source.names["validation"],
        date=datetime.now(UTC).date().isoformat(),
        n_steps=learned.n_steps,
        validation_loss=loss,
        limits=learned.limits,
        precision=learned.precision,
    )
    return save_model(network, card, folder.weights_path)
