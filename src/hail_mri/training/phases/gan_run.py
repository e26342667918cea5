"""A training run of Liu et al.'s networks: settings and scans in, a folder with checkpoints, curves and the model out.

The folder (see `run_folder`) ends with `liu.safetensors` and its model card: the averaged weights of the last step, as
in the papers. A generator and a discriminator that take turns have no loss that would tell the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import lightning
import torch
from torch import Tensor

from hail_mri.errors import InputError
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.slice_gan import SliceGan
from hail_mri.model.weights import SLICES_PHASE, ModelCard, load_slice_gan, save_model
from hail_mri.training.data.epochs import Epochs, EpochSizes
from hail_mri.training.data.scan_split import ScanSplit, write_split
from hail_mri.training.data.source import SampleSource
from hail_mri.training.gan_settings import GanTrainingSettings, load_gan_settings
from hail_mri.training.phases.gan_phase import LOSS_KEY, GanPhase
from hail_mri.training.phases.gan_source import make_slice_source
from hail_mri.training.phases.paper_source import PairFiles
from hail_mri.training.running.budget import Budget, duration_text
from hail_mri.training.running.precision import Chosen
from hail_mri.training.running.run_folder import RunFolder, begin_run, find_checkpoint, finish_run
from hail_mri.training.running.throughput import Unit, throughput_of
from hail_mri.training.running.trainer import fit, make_trainer

NAME = SLICES_PHASE
SLICES = Unit("slices", 1)
PRECISION: Chosen = "32-true"  # the papers name none, and R1 is a gradient of a gradient


def train_gan(
    config_path: str | Path,
    out_dir: str | Path,
    *,
    files: PairFiles,
    init: str | Path | None = None,
    minutes: float = math.inf,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> Path:
    """
    Train the networks of Liu et al. on axial slices of brains, in one process.

    Parameters
    ----------
    config_path : path
        TOML settings, see `configs/liu.toml`.
    out_dir, files, minutes, resume, say
        As of `paper_run.train`.
    init : path or str, optional
        Weights of an earlier run to start from. They are of the networks that harmonize: their opponent, the
        discriminator, begins anew. The steps that their card tells are counted with those of this run.

    Returns
    -------
    path : Path
        The weights, a safetensors file with a model card beside it.

    Raises
    ------
    InputError, MissingFileError, OutputExistsError
        If the settings, the scans, the label maps, the weights to start from or the folder cannot be used; if the run
        is finished; if the time is over before all scans are prepared or heads placed.
    """
    settings, config_path = load_gan_settings(config_path), Path(config_path)
    budget, folder = Budget(settings.gan.n_steps, minutes), RunFolder(Path(out_dir), NAME)
    source, split = make_slice_source(files, settings, folder.out_dir)
    checkpoint = find_checkpoint(folder, config_path, init, resume=resume)
    lightning.seed_everything(settings.data.seed, workers=True, verbose=False)
    network, n_before = _first_network(settings, init)
    module = GanPhase(network, settings.gan, settings.losses, budget, seed=settings.data.seed)

    def prepare() -> None:
        if split is not None:
            write_split(split, folder.split_path, has_begun=folder.has_begun)
        source.prepare(budget, say)
        if checkpoint is None:
            begin_run(folder, config_path, init)
        say(f"training in {PRECISION}, {torch.get_num_threads()} threads")

    trainer = make_trainer(
        folder.phase_dir,
        budget,
        precision=PRECISION,
        ema_decay=settings.gan.ema_decay,
        gradient_clip=0.0,
        unit=SLICES,
        checkpoint=checkpoint,
        say=say,
    )
    with flushed_denormals():
        sizes = _sizes(settings)
        data = Epochs(source, sizes, first=n_before * sizes.n_per_step, prepare=prepare)
        fit(trainer, module, data, checkpoint, say=say)
    path = _write_last(settings, folder, source, split, n_before=n_before)
    say(f"{trainer.global_step} steps in {duration_text(budget.elapsed)}: weights are written to {path}")
    rate = throughput_of(trainer).summary
    finish_run(folder, n_steps=trainer.global_step, seconds=budget.elapsed, has_weights=True, rate=rate)
    return path


def _first_network(settings: GanTrainingSettings, init: str | Path | None) -> tuple[SliceGan, int]:
    """Return the networks to start from, and the steps that they have learned."""
    wanted = settings.network.to_settings()
    if init is None:
        return SliceGan(wanted), 0
    network, card = load_slice_gan(init)
    if network.settings != wanted:
        raise InputError(f"{init} holds networks of {network.settings}, the settings ask for {wanted}")
    return network.float().train().requires_grad_(True), card.n_steps


def _sizes(settings: GanTrainingSettings) -> EpochSizes:
    """Return how many pairs make what."""
    data, section = settings.data, settings.gan
    n_per_epoch = section.steps_per_epoch * section.pairs_per_step
    return EpochSizes(n_per_epoch, section.pairs_per_step, data.n_validation_pairs, data.n_workers)


def _write_last(
    settings: GanTrainingSettings, folder: RunFolder, source: SampleSource, split: ScanSplit | None, *, n_before: int
) -> Path:
    """Write the averaged weights of the last checkpoint, with their model card."""
    last = torch.load(folder.last_path, map_location="cpu", weights_only=True)
    network, prefix = SliceGan(settings.network.to_settings()), "network."
    weights: dict[str, Tensor] = last["state_dict"]
    network.load_state_dict({name[len(prefix) :]: v for name, v in weights.items() if name.startswith(prefix)})
    card = ModelCard(
        name=f"{folder.out_dir.name}-{NAME}",
        phase=NAME,
        network=network.settings,
        spacing_mm=settings.data.spacing_mm,
        training_data=source.names["train"],
        validation_data=source.names["validation"],
        date=datetime.now(UTC).date().isoformat(),
        n_steps=n_before + last["global_step"],
        validation_loss=last[LOSS_KEY],
        limits=_limits(split),
        precision=PRECISION,
    )
    return save_model(network, card, folder.weights_path)


def _limits(split: ScanSplit | None) -> str:
    """Return what the model card says of the weights."""
    said = "Axial slices of skull-stripped T1-weighted brains, upright; a baseline, not a medical device; "
    if split is None:
        return f"{said}trained on simulated scans only."
    return f"{said}sites held out: {', '.join(split.held_out) or 'none'}."
