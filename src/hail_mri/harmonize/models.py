"""Models by name or path, ready to harmonize."""

from pathlib import Path

import torch

from hail_mri.errors import InputError
from hail_mri.harmonize.feature_model import FeatureModel
from hail_mri.harmonize.settings import Device
from hail_mri.harmonize.style_model import StyleModel
from hail_mri.harmonize.tissue_model import TissueModel
from hail_mri.model.known_styles_file import load_known_styles
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import ModelCard, load_model, weights_hash, weights_path


def load_style_model(model: str | Path, device: torch.device) -> tuple[StyleModel, ModelCard, str]:
    """
    Read a model, its card and the SHA-256 of its weights; errors as `load_model` and `load_known_styles`.

    Parameters
    ----------
    model : str or Path
    device : torch.device

    Raises
    ------
    InputError
        Also if the file holds what is known of the styles of another network.
    """
    network, card = load_model(model)
    sha256 = weights_hash(model)
    if isinstance(network, TissueNetwork):
        return TissueModel(network, card.spacing_mm, device), card, sha256
    known_styles, n_numbers = load_known_styles(model), 2 * sum(network.settings.channels)  # mean and deviation
    if known_styles is not None and len(known_styles.mean) != n_numbers:
        raise InputError(
            f"{weights_path(model)} knows styles of {len(known_styles.mean)} numbers, its network has {n_numbers}",
            hint="They are another network's: make them again with python -m hail_mri.apps.known_styles.",
        )
    return FeatureModel(network, card.spacing_mm, device, known_styles), card, sha256


def find_device(device: Device) -> torch.device:
    """Return the device asked for.

    Raises
    ------
    InputError
        If it is a GPU and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda was asked for, but torch finds no GPU", hint="use --device cpu")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)
