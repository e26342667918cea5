"""A training run of the tissue network: settings and anatomies in, a folder with checkpoints, curves and weights out.

The folder holds `settings.toml` (the settings, as they were given), `heads/` (the store of phantoms), `tissues/` (the
best and the last checkpoint, and a CSV log), and, if validation got better than it was, `tissues.safetensors` with its
model card.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from hail_mri.errors import InputError, MissingFileError, OutputExistsError
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
from hail_mri.model.weights import ModelCard, load_model, save_model
from hail_mri.training.anatomy_split import AnatomySplit, split_anatomies
from hail_mri.training.heads import fill_store, head_path
from hail_mri.training.precision import Chosen, choose_precision
from hail_mri.training.scans import RandomSiteScans, TissueExample
from hail_mri.training.settings import ScanSection, TissueTrainingSettings, load_tissue_settings
from hail_mri.training.tissue_phase import TissuePhase

NAME = "tissues"


class ScansModule(lightning.LightningDataModule):
    """Training and validation scans; every epoch draws new ones, and the same ones when it is resumed."""

    def __init__(self, settings: TissueTrainingSettings, store_dir: Path, *, first_step: int) -> None:
        super().__init__()
        self.settings, self.store_dir, self.first_step = settings, store_dir, first_step

    def train_dataloader(self) -> DataLoader[TissueExample]:
        """Return this epoch's scans."""
        section = self.settings.tissues
        n_steps = section.steps_per_epoch
        epoch = self.trainer.current_epoch if self.trainer else 0
        first = (self.first_step + epoch * n_steps) * section.scans_per_step
        return self._loader("train", self.settings.data.n_heads, first=first, n_items=n_steps * section.scans_per_step)

    def val_dataloader(self) -> DataLoader[TissueExample]:
        """Return the validation scans, the same at every epoch."""
        data = self.settings.data
        return self._loader("validation", data.n_validation_heads, first=0, n_items=data.n_validation_scans)

    def _loader(self, split: str, n_heads: int, *, first: int, n_items: int) -> DataLoader[TissueExample]:
        data = self.settings.data
        paths = [head_path(self.store_dir / split, i) for i in range(n_heads)]
        seed = data.seed if split == "train" else data.seed + 1
        scans = RandomSiteScans(paths, seed=seed, first=first, n_items=n_items, patch=data.patch)
        return DataLoader(scans, batch_size=self.settings.tissues.scans_per_step, num_workers=data.n_workers)


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
        When to stop, in minutes of wall time from the first step; the settings' number of steps may be sooner.
    resume : bool
        Go on from the folder's last checkpoint.
    say : callable
        Takes one line about the run at a time.

    Returns
    -------
    path : Path or None
        The weights, a safetensors file with a model card beside it; None if validation did not get better.

    Raises
    ------
    InputError, MissingFileError, OutputExistsError
        If settings, anatomies, weights to start from or the folder cannot be used.
    """
    settings, split, out_dir = load_tissue_settings(config_path), split_anatomies(anatomies_dir), Path(out_dir)
    precision, reason = choose_precision(settings.tissues.precision)
    network, before = _first_network(settings, init)
    checkpoint = _prepare_folder(out_dir, Path(config_path), resume=resume)
    _fill_stores(settings.data, split, out_dir / "heads", say)
    say(f"training in {precision} ({reason}), {torch.get_num_threads()} threads")
    lightning.seed_everything(settings.data.seed, workers=True, verbose=False)
    module = TissuePhase(network, settings.tissues, minutes)
    n_before = before.n_steps if before else 0
    data = ScansModule(settings, out_dir / "heads", first_step=n_before)
    with flushed_denormals():
        loss_before = _validation_loss(module, data, precision) if init else math.inf
        say(f"validation loss of the weights to start from: {loss_before:.4f}")
        trainer = _trainer(settings, precision, out_dir / NAME)
        trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    card = ModelCard(
        name=out_dir.name,
        phase="tissues",
        network=settings.network.to_settings(),
        spacing_mm=settings.data.spacing_mm,
        training_data=tuple(path.name for path in split.train),
        validation_data=tuple(path.name for path in split.validation),
        date=datetime.now(UTC).date().isoformat(),
        n_steps=n_before + trainer.global_step,
        validation_loss=_best_loss(out_dir),
        precision=f"{precision}: {reason}",
    )
    return _write_best(out_dir, settings.network.to_settings(), card, loss_before, say)


def _write_best(
    out_dir: Path, wanted: TissueNetworkSettings, card: ModelCard, loss_before: float, say: Callable[[str], None]
) -> Path | None:
    """Write the best weights of a run, if they are better than those it started from."""
    if not card.validation_loss < loss_before:
        say(f"validation loss {card.validation_loss:.4f}, not below {loss_before:.4f}: no weights are written")
        return None
    best = torch.load(_best_path(out_dir), map_location="cpu", weights_only=True)
    network = TissueNetwork(wanted)
    prefix = "network."
    network.load_state_dict({k[len(prefix) :]: v for k, v in best["state_dict"].items() if k.startswith(prefix)})
    say(f"validation loss {card.validation_loss:.4f}, below {loss_before:.4f}: weights are written")
    # Half precision on disk: half the size, and the shares of a whole head differ by at most 0.002.
    return save_model(network.half(), card, out_dir / f"{NAME}.safetensors")


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


def _prepare_folder(out_dir: Path, config_path: Path, *, resume: bool) -> Path | None:
    """Return the checkpoint to go on from; refuse to mix two runs in one folder."""
    kept, last = out_dir / "settings.toml", out_dir / NAME / "last.ckpt"
    wanted = config_path.read_bytes()
    if resume:
        if not last.is_file():
            raise MissingFileError(f"no checkpoint at {last} to go on from", hint="Leave --resume away to begin.")
        if kept.read_bytes() != wanted:
            raise InputError(f"{kept} holds other settings than {config_path}", hint="A run goes on as it began.")
        return last
    if last.is_file():
        raise OutputExistsError(f"{out_dir} holds a run", hint="Give --resume, or another folder.")
    out_dir.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(wanted)
    return None


def _fill_stores(data: ScanSection, split: AnatomySplit, store_dir: Path, say: Callable[[str], None]) -> None:
    """Place the phantoms for training and validation."""
    for name, paths, n_heads, seed in (
        ("train", split.train, data.n_heads, data.seed),
        ("validation", split.validation, data.n_validation_heads, data.seed + 1),
    ):
        placed = fill_store(
            store_dir / name, paths, n_heads=n_heads, shape=data.shape, spacing=data.spacing_mm, seed=seed
        )
        for n_done in placed:
            if n_done % 10 == 0 or n_done == n_heads:
                say(f"{n_done} of {n_heads} phantoms for {name}")


def _trainer(settings: TissueTrainingSettings, precision: Chosen, folder: Path) -> lightning.Trainer:
    """Return the trainer: best and last checkpoints, CSV log, averaged weights."""
    section = settings.tissues
    callbacks: list[Callback] = [
        ModelCheckpoint(
            folder, filename="best", monitor="validation_loss", save_last=True, enable_version_counter=False
        ),
        TQDMProgressBar(refresh_rate=10),
    ]
    if section.ema_decay:
        callbacks.append(EMAWeightAveraging(decay=section.ema_decay))
    return lightning.Trainer(
        max_steps=section.n_steps,
        precision=precision,
        accelerator="auto",
        gradient_clip_val=1.0,
        reload_dataloaders_every_n_epochs=1,
        logger=CSVLogger(folder, name="log"),
        callbacks=callbacks,
        log_every_n_steps=25,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _validation_loss(module: TissuePhase, data: ScansModule, precision: Chosen) -> float:
    """Return the loss of a network as it is, on the validation scans of this run."""
    trainer = lightning.Trainer(
        precision=precision, logger=False, enable_progress_bar=False, enable_checkpointing=False
    )
    return float(trainer.validate(module, data, verbose=False)[0]["validation_loss"])


def _best_path(out_dir: Path) -> Path:
    """Return the best checkpoint, by its place: the folder of a run may have been moved."""
    return out_dir / NAME / "best.ckpt"


def _best_loss(out_dir: Path) -> float:
    """Return the validation loss of the best checkpoint."""
    best = torch.load(_best_path(out_dir), map_location="cpu", weights_only=True)
    scores = [state["best_model_score"] for state in best["callbacks"].values() if "best_model_score" in state]
    return float(scores[0])
