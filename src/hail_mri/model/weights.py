"""Weights on disk: a safetensors file with its model card (JSON) beside it. No pickle is ever read.

A *model card* says what the weights are: the network's shape, the grid they work on, what they were trained and
validated on, their licence and their limits. Released models are found by name, others by path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from hail_mri.errors import InputError, MissingFileError
from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.known_styles import PREFIX
from hail_mri.model.slice_gan import SliceGan, SliceGanSettings
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
from hail_mri.provenance.atomic_write import write_together

RELEASED_DIR = Path(str(files("hail_mri.model"))) / "weights"
SLICES_PHASE = "liu"  # of the cards of the networks of Liu et al.
SPACINGS = (0.25, 16.0)  # mm; finer grids than the first would fill the memory, coarser ones show no head

NetworkSettings = TissueNetworkSettings | FeatureNetworkSettings | SliceGanSettings


@dataclass(frozen=True)
class ModelCard:
    """What a set of weights is.

    Attributes
    ----------
    name : str
    phase : str
        "tissues" for a tissue network, "style" for a network of the paper's kind that harmonizes, "encoder" for one
        that only reconstructs, "liu" for those of Liu et al.
    network : TissueNetworkSettings, FeatureNetworkSettings or SliceGanSettings
    spacing_mm : float
        Of the grid the network works on.
    training_data, validation_data : tuple of str
    date : str
        ISO 8601.
    n_steps : int
    validation_loss : float
    licence : str
    limits : str
    precision : str
        What it was trained in, and why.
    caution : str
        What has to be said whenever something is harmonized with it; nothing where that is empty.
    """

    name: str
    phase: str
    network: NetworkSettings
    spacing_mm: float
    training_data: tuple[str, ...]
    validation_data: tuple[str, ...]
    date: str
    n_steps: int
    validation_loss: float
    licence: str = "Apache-2.0"
    limits: str = "T1-weighted heads; trained on simulated scans only; not a medical device."
    precision: str = ""
    caution: str = ""


def released_models() -> list[str]:
    """Return the names of the models that come with the package."""
    return sorted(path.stem for path in RELEASED_DIR.glob("*.safetensors"))


def weights_path(model: str | Path) -> Path:
    """
    Return the safetensors file of a released model or of a path.

    Parameters
    ----------
    model : str or Path
        A released model's name, a .safetensors file, or a training run's folder: its style or else its tissue network.

    Raises
    ------
    MissingFileError
        If it is none of these.
    InputError
        If the file is not a safetensors file by its name.
    """
    if str(model) in released_models():
        return RELEASED_DIR / f"{model}.safetensors"
    path = Path(model)
    is_file = False
    with suppress(OSError):  # a name too long to be one is no model either
        if path.is_dir():
            of_run = (path / f"{phase}.safetensors" for phase in ("style", "tissues"))
            path = next((weights for weights in of_run if weights.is_file()), path)
        is_file = path.is_file()
    if not is_file:
        names = ", ".join(released_models()) or "none"
        raise MissingFileError(
            f"no model {str(model)!r}", hint=f"Released models: {names}; or give a .safetensors file."
        )
    if path.suffix != ".safetensors":
        raise InputError(f"{path} is not a .safetensors file", hint="Weights in other formats (pickle) are not read.")
    return path


def weights_hash(model: str | Path) -> str:
    """Return the SHA-256 of a model's weights, as hexadecimal digits."""
    return hashlib.sha256(weights_path(model).read_bytes()).hexdigest()


def save_model(network: FeatureStyleNetwork | TissueNetwork | SliceGan, card: ModelCard, path: str | Path) -> Path:
    """Write weights and model card; an existing pair is replaced. Returns the path of the weights."""
    path = Path(path)
    card_path = path.with_suffix(".json")

    def write(hidden: Mapping[Path, Path]) -> None:
        tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
        hidden[path].write_bytes(save(tensors))
        hidden[card_path].write_text(json.dumps(asdict(card), indent=2) + "\n")

    write_together([path, card_path], write)
    return path


def read_card(model: str | Path) -> ModelCard:
    """
    Return the model card of weights, whatever kind of network they are of.

    Parameters
    ----------
    model : str or Path
        As of `weights_path`.

    Raises
    ------
    MissingFileError, InputError
        If there are no such weights, or their card is missing or no card.
    """
    return _load_card(weights_path(model).with_suffix(".json"))


def load_model(model: str | Path) -> tuple[FeatureStyleNetwork | TissueNetwork, ModelCard]:
    """
    Read a network and its model card, ready for inference on the CPU.

    Parameters
    ----------
    model : str or Path
        A released model's name, a .safetensors file with its card beside it, or a training run's folder.

    Raises
    ------
    MissingFileError
        If the weights or their card are not there.
    InputError
        If the weights are damaged or do not fit the card's network; if they are those of Liu et al.'s networks.
    """
    network, card = _load(model)
    if isinstance(network, SliceGan):
        raise InputError(
            f"{model} holds the networks of Liu et al., which see slices of registered brains, not scans",
            hint="They are a baseline: see docs/liu.md.",
        )
    return network, card


def _load(model: str | Path) -> tuple[FeatureStyleNetwork | TissueNetwork | SliceGan, ModelCard]:
    """Read networks of any kind."""
    path = weights_path(model)
    card = _load_card(path.with_suffix(".json"))
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} holds no safetensors weights: {error}", hint="The file may be damaged.") from error
    with torch.device("meta"):  # shapes without memory: the weights in the file are the only ones there ever are
        network = _network_of(card)
    of_network = {name: tensor.float() for name, tensor in tensors.items() if not name.startswith(PREFIX)}
    try:
        network.load_state_dict(of_network, assign=True)
    except RuntimeError as error:
        raise InputError(f"{path} does not fit its model card {path.with_suffix('.json').name}") from error
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise InputError(f"{path} holds weights that are not finite", hint="The training may have diverged.")
    return network.eval().requires_grad_(False), card


def load_feature_network(model: str | Path) -> tuple[FeatureStyleNetwork, ModelCard]:
    """
    Read a network of the paper's kind; see `load_model`.

    Raises
    ------
    InputError
        Also if the weights are those of another kind of network.
    """
    network, card = load_model(model)
    if not isinstance(network, FeatureStyleNetwork):
        raise InputError(f"{model} holds a {type(network).__name__}, expected a network of the paper's kind")
    return network, card


def load_slice_gan(model: str | Path) -> tuple[SliceGan, ModelCard]:
    """
    Read the networks of Liu et al.; see `load_model`.

    Raises
    ------
    InputError
        Also if the weights are those of another kind of network.
    """
    network, card = _load(model)
    if not isinstance(network, SliceGan):
        raise InputError(f"{model} holds a {type(network).__name__}, expected the networks of Liu et al.")
    return network, card


def _network_of(card: ModelCard) -> FeatureStyleNetwork | TissueNetwork | SliceGan:
    """Return a network as the card says, not yet trained."""
    if isinstance(card.network, TissueNetworkSettings):
        return TissueNetwork(card.network)
    if isinstance(card.network, SliceGanSettings):
        return SliceGan(card.network)
    return FeatureStyleNetwork(card.network)


def _network_settings(phase: str, entries: dict[str, Any]) -> NetworkSettings:
    """Return the settings of a network as a card's JSON holds them."""
    if phase == SLICES_PHASE:
        return SliceGanSettings(**entries)
    channels = tuple(entries["channels"])
    if phase == "tissues":
        return TissueNetworkSettings(channels, tuple(entries["blocks"]))
    return FeatureNetworkSettings(channels, tuple(entries["convs_per_stage"]), bool(entries["skips"]))


def _load_card(path: Path) -> ModelCard:
    """Read and check a model card."""
    if not path.is_file():
        raise MissingFileError(f"no model card at {path}", hint="Weights come with a .json card of the same name.")
    try:
        entries = json.loads(path.read_text())
        entries["network"] = _network_settings(entries["phase"], entries["network"])
        for name in ("training_data", "validation_data"):
            entries[name] = tuple(entries[name])
        card = ModelCard(**entries)
        if not SPACINGS[0] <= card.spacing_mm <= SPACINGS[1]:
            raise ValueError(f"spacing_mm is {card.spacing_mm}, expected {SPACINGS[0]} to {SPACINGS[1]}")
        return card
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is not a model card: {error}") from error
