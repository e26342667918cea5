"""A training run of the tissue network: settings and anatomies in, a folder with checkpoints, curves and weights out.

The folder (see `run_folder`) ends with `tissues.safetensors` and its model card, if validation got better than it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import lightning
import torch
from torch.utils.data import DataLoader

from hail_mri.errors import InputError
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import ModelCard, load_model, save_model
from hail_mri.training.anatomy_split import AnatomySplit, split_anatomies
from hail_mri.training.budget import Budget
from hail_mri.training.checkpoints import load_best
from hail_mri.training.epoch_loader import EpochLoader
from hail_mri.training.heads import head_path
from hail_mri.training.precision import Chosen, choose_precision
from hail_mri.training.run_folder import RunFolder, begin_run, find_checkpoint, finish_run
from hail_mri.training.scans import RandomSiteScans, TissueExample
from hail_mri.training.settings import TissueTrainingSettings, load_tissue_settings
from hail_mri.training.stores import fill_stores
from hail_mri.training.tissue_phase import TissuePhase
from hail_mri.training.trainer import make_trainer

NAME = "tissues"


class ScansModule(lightning.LightningDataModule):
    """Training and validation scans; every epoch draws new ones, and the same ones when it is resumed."""

    def __init__(self, settings: TissueTrainingSettings, heads_dir: Path, *, first_step: int) -> None:
        super().__init__()
        self.settings, self.heads_dir, self.first_step = settings, heads_dir, first_step

    def train_dataloader(self) -> EpochLoader[TissueExample]:
        """Return this epoch's scans."""
        data, section = self.settings.data, self.settings.tissues
        epoch = self.trainer.current_epoch if self.trainer else 0
        first = (self.first_step + epoch * section.steps_per_epoch) * section.scans_per_step
        n_items = section.steps_per_epoch * section.scans_per_step
        scans = self._scans("train", data.n_heads, data.seed, first=first, n_items=n_items)
        return EpochLoader(scans, batch_size=section.scans_per_step, n_workers=data.n_workers)

    def val_dataloader(self) -> DataLoader[TissueExample]:
        """Return the validation scans, the same at every epoch."""
        data, batch_size = self.settings.data, self.settings.tissues.scans_per_step
        scans = self._scans(
            "validation", data.n_validation_heads, data.seed + 1, first=0, n_items=data.n_validation_scans
        )
        return DataLoader(scans, batch_size=batch_size, num_workers=data.n_workers)

    def _scans(self, split: str, n_heads: int, seed: int, *, first: int, n_items: int) -> RandomSiteScans:
        paths = [head_path(self.heads_dir / split, index) for index in range(n_heads)]
        return RandomSiteScans(paths, seed=seed, first=first, n_items=n_items, patch=self.settings.data.patch)


def train_tissues(
    config_path: str | Path,
    out_dir: str | Path,
    *,
    anatomies_dir: str | Path,
    init: str | Path | None = None,
    minutes: float = math.inf,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> Path | None:
    """
    Train the tissue network on simulated scans.

    Parameters
    ----------
    config_path : path
        TOML settings, see `configs/compact.toml`.
    out_dir : path
        The run's folder.
    anatomies_dir : path
        Folder of FreeSurfer-style label maps, see `anatomy_split`.
    init : path or str, optional
        Weights to go on from; new ones are written only if their validation loss is lower.
    minutes : float
        When to end, in minutes of wall time from this call; the settings' number of steps may be sooner. Placing heads,
        validation and what a resumed run had used all count. One step and one validation are always made.
    resume : bool
        Go on from the folder's last checkpoint, with the next step.
    say : callable
        Takes one line about the run at a time.

    Returns
    -------
    path : Path or None
        The weights, a safetensors file with a model card beside it; None if validation did not get better.

    Raises
    ------
    InputError, MissingFileError, OutputExistsError
        If settings, anatomies, weights to start from or the folder cannot be used; if the run is finished; if the time
        is over before all heads are placed.
    """
    settings, split = load_tissue_settings(config_path), split_anatomies(anatomies_dir)
    budget, folder = Budget(settings.tissues.n_steps, minutes), RunFolder(Path(out_dir), NAME)
    checkpoint = find_checkpoint(folder, Path(config_path), init, resume=resume)
    precision, reason = choose_precision(settings.tissues.precision)
    network, before = _first_network(settings, init)
    fill_stores(folder.heads_dir, settings.data, budget, train=split.train, validation=split.validation, say=say)
    if checkpoint is None:
        begin_run(folder, Path(config_path), init)
    say(f"training in {precision} ({reason}), {torch.get_num_threads()} threads")
    lightning.seed_everything(settings.data.seed, workers=True, verbose=False)
    module = TissuePhase(network, settings.tissues, budget)
    n_before = before.n_steps if before else 0
    data = ScansModule(settings, folder.heads_dir, first_step=n_before)
    trainer = make_trainer(folder.phase_dir, budget, precision=precision, ema_decay=settings.tissues.ema_decay, say=say)
    with flushed_denormals():
        loss_before = math.inf if before is None else _validation_loss(module, data, precision, say)
        trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    card = _card(settings, split, folder, n_steps=n_before + trainer.global_step, precision=f"{precision}: {reason}")
    path = _write_best(network, folder, card, loss_before, say=say)
    finish_run(folder, n_steps=trainer.global_step, seconds=budget.elapsed, has_weights=path is not None)
    return path


def _card(
    settings: TissueTrainingSettings, split: AnatomySplit, folder: RunFolder, *, n_steps: int, precision: str
) -> ModelCard:
    """Return the model card of the best weights of a run."""
    return ModelCard(
        name=folder.out_dir.name,
        phase=NAME,
        network=settings.network.to_settings(),
        spacing_mm=settings.data.spacing_mm,
        training_data=tuple(path.name for path in split.train),
        validation_data=tuple(path.name for path in split.validation),
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


def _validation_loss(module: TissuePhase, data: ScansModule, precision: Chosen, say: Callable[[str], None]) -> float:
    """Return the loss of a network as it is, on the validation scans of this run; learn what a validation takes."""
    trainer = lightning.Trainer(
        precision=precision, logger=False, enable_progress_bar=False, enable_checkpointing=False
    )
    start = module.budget.elapsed
    loss = float(trainer.validate(module, data, verbose=False)[0]["validation_loss"])
    module.budget.validation_seconds = module.budget.elapsed - start
    say(f"validation loss of the weights to start from: {loss:.4f}")
    return loss
