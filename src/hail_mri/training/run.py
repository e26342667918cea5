"""A training run: settings and anatomies in, a folder with checkpoints, curves and the model out.

The folder holds `settings.toml` (the settings, as they were given), `heads/` (the store of placed heads), and for each
phase a folder of checkpoints with a CSV log, and `<phase>.safetensors` with its model card: the best weights.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from hail_mri.errors import InputError, MissingFileError
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.networks import HailNetwork
from hail_mri.model.weights import ModelCard, load_hail_network, save_model
from hail_mri.training.heads import fill_store, head_path
from hail_mri.training.pairs import Example, RandomSitePairs
from hail_mri.training.phases import EncoderPhase, StylePhase
from hail_mri.training.precision import choose_precision
from hail_mri.training.settings import PhaseSection, TrainingSettings, load_settings

N_VALIDATION_ANATOMIES = 2  # the last ones, by name
Phase = Literal["encoder", "style"]


class PairsModule(lightning.LightningDataModule):
    """Training and validation pairs; every epoch draws new ones, and the same ones when it is resumed."""

    def __init__(self, settings: TrainingSettings, phase: PhaseSection, store_dir: Path) -> None:
        super().__init__()
        self.settings, self.phase, self.store_dir = settings, phase, store_dir

    def train_dataloader(self) -> DataLoader[Example]:
        """Return this epoch's pairs."""
        epoch = self.trainer.current_epoch if self.trainer else 0
        n = self.phase.pairs_per_epoch
        return self._loader("train", self.settings.data.n_heads, first=epoch * n, n_items=n)

    def val_dataloader(self) -> DataLoader[Example]:
        """Return the validation pairs, the same at every epoch."""
        data = self.settings.data
        return self._loader("validation", data.n_validation_heads, first=0, n_items=data.n_validation_pairs)

    def _loader(self, split: str, n_heads: int, *, first: int, n_items: int) -> DataLoader[Example]:
        data = self.settings.data
        paths = [head_path(self.store_dir / split, i) for i in range(n_heads)]
        seed = data.seed if split == "train" else data.seed + 1
        stride = self.settings.network.to_settings().stride
        pairs = RandomSitePairs(paths, seed=seed, first=first, n_items=n_items, patch=data.patch, stride=stride)
        return DataLoader(pairs, batch_size=self.phase.pairs_per_batch, num_workers=data.n_workers)


def train(
    phase: Phase,
    config_path: str | Path,
    out_dir: str | Path,
    *,
    anatomies_dir: str | Path,
    init: str | Path | None = None,
    resume: bool = False,
    on_heads: Callable[[int, int], None] | None = None,
) -> Path:
    """
    Train one phase on simulated travelling subjects.

    Parameters
    ----------
    phase : "encoder" or "style"
    config_path : path
        TOML settings, see `configs/`.
    out_dir : path
        The run's folder; phase 2 finds the result of phase 1 in it.
    anatomies_dir : path
        Folder of FreeSurfer-style label maps; the last two by name are for validation.
    init : path or str, optional
        Weights to start from, instead of the result of phase 1.
    resume : bool
        Go on from the last checkpoint.
    on_heads : callable, optional
        Called with (placed so far, wanted) while heads are placed.

    Returns
    -------
    path : Path
        The weights, a safetensors file with a model card beside it.

    Raises
    ------
    InputError, MissingFileError
        If the settings, the anatomies or the weights to start from cannot be used.
    """
    settings, out_dir = load_settings(config_path), Path(out_dir)
    anatomy_paths = _find_anatomies(Path(anatomies_dir))
    out_dir.mkdir(parents=True, exist_ok=True)
    kept = Path(config_path).read_bytes()  # read first: it may be the run's own copy
    (out_dir / "settings.toml").write_bytes(kept)
    _place_heads(settings, anatomy_paths, out_dir / "heads", on_heads)
    lightning.seed_everything(settings.data.seed, workers=True, verbose=False)
    network = _network(settings, phase, out_dir, init)
    module, section = _module(network, settings, phase)
    trainer = _trainer(section, out_dir / phase)
    checkpoint = out_dir / phase / "last.ckpt"
    with flushed_denormals():
        trainer.fit(
            module,
            PairsModule(settings, section, out_dir / "heads"),
            ckpt_path=checkpoint if resume and checkpoint.exists() else None,
            weights_only=True,
        )
    return _save(trainer, module, settings, phase, out_dir, anatomy_paths)


def _find_anatomies(folder: Path) -> list[Path]:
    """Return the label maps of a folder, by name."""
    if not folder.is_dir():
        raise MissingFileError(f"no folder of anatomies at {folder}", hint="Give --anatomies a folder of label maps.")
    paths = sorted(p for p in folder.iterdir() if p.name.endswith((".nii", ".nii.gz", ".mgz")))
    if len(paths) <= N_VALIDATION_ANATOMIES:
        raise InputError(f"{folder} holds {len(paths)} label maps, expected at least {N_VALIDATION_ANATOMIES + 1}")
    return paths


def _place_heads(
    settings: TrainingSettings, paths: list[Path], store_dir: Path, on_heads: Callable[[int, int], None] | None
) -> None:
    """Fill the two stores: training heads from the first anatomies, validation heads from the last."""
    data, cut = settings.data, -N_VALIDATION_ANATOMIES
    for split, chosen, n_heads, seed in (
        ("train", paths[:cut], data.n_heads, data.seed),
        ("validation", paths[cut:], data.n_validation_heads, data.seed + 1),
    ):
        for n_done in fill_store(
            store_dir / split, chosen, n_heads=n_heads, shape=data.shape, spacing=data.spacing_mm, seed=seed
        ):
            if on_heads:
                on_heads(n_done, n_heads)


def _network(settings: TrainingSettings, phase: Phase, out_dir: Path, init: str | Path | None) -> HailNetwork:
    """Return the network to start from: fresh, of phase 1, or the one asked for."""
    wanted = settings.network.to_settings()
    if phase == "style" and init is None:
        init = out_dir / "encoder.safetensors"
        if not init.exists():
            raise MissingFileError(f"{init} is not there", hint="Run `hail-mri train encoder` first, or give --init.")
    if init is None:
        return HailNetwork(wanted)
    network, _ = load_hail_network(init)
    if network.settings != wanted:
        raise InputError(f"{init} holds a network of {network.settings}, the settings ask for {wanted}")
    return network.train().requires_grad_(True)


def _module(
    network: HailNetwork, settings: TrainingSettings, phase: Phase
) -> tuple[EncoderPhase | StylePhase, PhaseSection]:
    """Return the Lightning module of a phase and its section of the settings."""
    if phase == "encoder":
        return EncoderPhase(network, settings.encoder), settings.encoder
    return StylePhase(network, settings.style, settings.losses), settings.style


def _trainer(section: PhaseSection, phase_dir: Path) -> lightning.Trainer:
    """Return the trainer: best and last checkpoints, CSV log, averaged weights."""
    callbacks: list[Callback] = [
        ModelCheckpoint(
            phase_dir, filename="best", monitor="validation_loss", save_last=True, enable_version_counter=False
        ),
        TQDMProgressBar(refresh_rate=10),
    ]
    if section.ema_decay:
        callbacks.append(EMAWeightAveraging(decay=section.ema_decay))
    return lightning.Trainer(
        max_epochs=section.epochs,
        precision=choose_precision(section.precision)[0],
        accelerator="auto",
        gradient_clip_val=1.0,
        reload_dataloaders_every_n_epochs=1,
        logger=CSVLogger(phase_dir, name="log"),
        callbacks=callbacks,
        log_every_n_steps=20,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _save(
    trainer: lightning.Trainer,
    module: EncoderPhase | StylePhase,
    settings: TrainingSettings,
    phase: Phase,
    out_dir: Path,
    anatomy_paths: list[Path],
) -> Path:
    """Write the best weights of a finished phase with their model card."""
    # By its place and not by what the callback remembers: the folder of a run may have been moved.
    best = torch.load(out_dir / phase / "best.ckpt", map_location="cpu", weights_only=True)
    scores = [state["best_model_score"] for state in best["callbacks"].values() if "best_model_score" in state]
    prefix = "network."
    network = module.network.cpu().float().to(memory_format=torch.contiguous_format)
    network.load_state_dict({k[len(prefix) :]: v for k, v in best["state_dict"].items() if k.startswith(prefix)})
    card = ModelCard(
        name=f"{out_dir.name}-{phase}",
        phase=phase,
        network=network.settings,
        spacing_mm=settings.data.spacing_mm,
        training_data=tuple(path.name for path in anatomy_paths[:-N_VALIDATION_ANATOMIES]),
        validation_data=tuple(path.name for path in anatomy_paths[-N_VALIDATION_ANATOMIES:]),
        date=datetime.now(UTC).date().isoformat(),
        n_steps=trainer.global_step,
        validation_loss=float(scores[0]),
    )
    return save_model(network, card, out_dir / f"{phase}.safetensors")
