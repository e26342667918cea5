"""The folder of a run: which run is in it, whether that is finished, and whether another may go on in it.

Beside the weights there are `settings.toml` (the settings, as they were given) and `heads/`, which phases share, and a
folder for each phase: checkpoints, log, `start.json` (which weights it began with) and, at its end, `finished.json`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from hail_mri.errors import InputError, MissingFileError, OutputExistsError
from hail_mri.model.weights import weights_hash
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.sidecar import write_json
from hail_mri.training.running.budget import duration_text
from hail_mri.training.running.checkpoints import LAST_NAME


@dataclass(frozen=True)
class RunFolder:
    """Where a phase keeps what.

    Attributes
    ----------
    out_dir : Path
        Of the run.
    phase : str
        "tissues", "encoder", "style" or "liu".
    """

    out_dir: Path
    phase: str

    @property
    def settings_path(self) -> Path:
        """A copy of the settings."""
        return self.out_dir / "settings.toml"

    @property
    def heads_dir(self) -> Path:
        """The stores of phantoms."""
        return self.out_dir / "heads"

    @property
    def split_path(self) -> Path:
        """What every real scan is for."""
        return self.out_dir / "splits.tsv"

    @property
    def phase_dir(self) -> Path:
        """Checkpoints and log."""
        return self.out_dir / self.phase

    @property
    def last_path(self) -> Path:
        """The checkpoint to go on from."""
        return self.phase_dir / LAST_NAME

    @property
    def start_path(self) -> Path:
        """What the phase began with."""
        return self.phase_dir / "start.json"

    @property
    def has_begun(self) -> bool:
        """Whether this phase or another has begun to learn."""
        return any(self.out_dir.glob(f"*/{self.start_path.name}"))

    @property
    def finish_path(self) -> Path:
        """What came of it; there when it is finished."""
        return self.phase_dir / "finished.json"

    @property
    def weights_path(self) -> Path:
        """The weights it ends with."""
        return self.out_dir / f"{self.phase}.safetensors"

    @property
    def log_path(self) -> Path:
        """Its losses, step by step."""
        return self.out_dir / f"{self.phase}_log.tsv"

    @property
    def curves_path(self) -> Path:
        """A picture of them."""
        return self.out_dir / f"{self.phase}_curves.png"


def find_checkpoint(
    folder: RunFolder, config_path: Path, init: str | Path | None, *, resume: bool, n_processes: int = 1
) -> Path | None:
    """
    Return the checkpoint to go on from, None for a run that begins; changes nothing.

    Parameters
    ----------
    folder : RunFolder
    config_path : Path
        Settings that load.
    init : path or str, optional
        Weights to begin with.
    resume : bool
        Whether to go on.
    n_processes : int
        That learn together.

    Raises
    ------
    OutputExistsError
        If the run is finished, or there is one that nobody asked to go on with.
    MissingFileError
        If there is nothing to go on from, or no such weights.
    InputError
        If the run began with other settings or weights, or as another number of processes.
    """
    if folder.finish_path.is_file():
        raise _finished(folder)
    if not resume:
        if folder.last_path.is_file():
            raise OutputExistsError(f"{folder.out_dir} holds a run", "give --resume, or another folder")
        if any(folder.out_dir.glob(f"*/{LAST_NAME}")):  # of another phase
            _require_same_settings(folder.settings_path, config_path)
        return None
    if not folder.last_path.is_file():
        raise MissingFileError(f"no checkpoint at {folder.last_path} to go on from", "leave --resume away to begin")
    _require_checkpoint(folder.last_path)
    _require_same_settings(folder.settings_path, config_path)
    _require_same_start(folder, init, n_processes)
    return folder.last_path


def begin_run(folder: RunFolder, config_path: Path, init: str | Path | None, n_processes: int = 1) -> None:
    """Make the folder and keep what the run begins with; `init` are weights to begin with."""
    kept = config_path.read_bytes()  # read first: it may be the run's own copy
    folder.phase_dir.mkdir(parents=True, exist_ok=True)
    write_together([folder.settings_path], lambda hidden: hidden[folder.settings_path].write_bytes(kept))
    _save_json(folder.start_path, {"init_sha256": weights_hash(init) if init else None, "n_processes": n_processes})


def finish_run(
    folder: RunFolder, *, n_steps: int, seconds: float, has_weights: bool, rate: Mapping[str, float]
) -> None:
    """Keep that a run is finished, and its rate (samples per second, by name); the last thing it does."""
    _save_json(folder.finish_path, {"n_steps": n_steps, "seconds": seconds, "has_weights": has_weights, **rate})


def _require_checkpoint(path: Path) -> None:
    """Refuse a file that is no checkpoint now, and not after an hour of making phantoms."""
    try:
        held = torch.load(path, map_location="meta", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, UnpicklingError) as error:
        raise InputError(f"{path} is no checkpoint, or damaged", "delete it and begin again") from error
    if not isinstance(held, dict) or "state_dict" not in held:
        raise InputError(f"{path} is no checkpoint of a run", "delete it and begin again")


def _read_entries(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Read a small file of the run, which holds certain entries."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}", "begin again in another folder") from error
    if not isinstance(entries, dict) or not entries.keys() >= set(names):
        raise InputError(f"{path} holds no {' and '.join(names)}", "it was edited: begin again in another folder")
    return entries


def _finished(folder: RunFolder) -> OutputExistsError:
    """Return the error that says how a run ended and what to do now."""
    end = _read_entries(folder.finish_path, ("n_steps", "seconds", "has_weights"))
    said = f"{folder.out_dir} holds a run that is finished ({folder.phase}, {end['n_steps']} steps in "
    said += f"{duration_text(end['seconds'])}); "
    if end["has_weights"]:
        hint = f"train on from them in another folder: -o OTHER --init {folder.weights_path}"
        return OutputExistsError(f"{said}its weights are {folder.weights_path}", hint)
    hint = "try again in another folder, for longer: -o OTHER with the same --init"
    return OutputExistsError(f"{said}it got no better than the weights it began with and wrote none", hint)


def _require_same_settings(kept_path: Path, config_path: Path) -> None:
    """Refuse settings that are not those of the run, and name the keys; layout and comments do not matter."""
    kept, wanted = _flat_settings(kept_path), _flat_settings(config_path)
    differing = [key for key in kept | wanted if kept.get(key) != wanted.get(key)]
    if differing:
        raise InputError(
            f"{kept_path} holds other settings than {config_path}: {', '.join(differing)}",
            "a run goes on as it began; give other settings another folder",
        )


def _flat_settings(path: Path) -> dict[str, Any]:
    """Return settings by table.key."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingFileError(f"no {path}, expected the settings of the run", "begin in another folder") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    settings: dict[str, Any] = {}
    for name, value in tables.items():
        settings |= (
            {f"{name}.{key}": entry for key, entry in value.items()} if isinstance(value, dict) else {name: value}
        )
    return settings


def _require_same_start(folder: RunFolder, init: str | Path | None, n_processes: int) -> None:
    """Refuse to go on with other weights to begin with, or with batches of another size."""
    if not folder.start_path.is_file():
        return
    start = _read_entries(folder.start_path, ("init_sha256",))
    if (n_began := start.get("n_processes", 1)) != n_processes:
        raise InputError(
            f"the run in {folder.out_dir} began as {n_began} processes, expected {n_processes}",
            "give as many devices and machines as when the run began",
        )
    kept = start["init_sha256"]
    if kept != (weights_hash(init) if init else None):
        began = f"weights with the SHA-256 {kept}" if kept else "no weights"
        raise InputError(
            f"the run in {folder.out_dir} began with {began}, expected {init or 'none'}",
            "give --init as it was when the run began",
        )


def _save_json(path: Path, entries: dict[str, Any]) -> None:
    """Write a small file, all of it or nothing."""
    write_together([path], lambda hidden: write_json(entries, hidden[path]))
