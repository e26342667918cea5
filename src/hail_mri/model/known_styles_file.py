"""What weights know of the styles of their training scans, as further tensors of their safetensors file."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from hail_mri.errors import InputError
from hail_mri.model.known_styles import PREFIX, KnownStyles
from hail_mri.model.weights import weights_path
from hail_mri.provenance.atomic_write import write_together


def load_known_styles(model: str | Path) -> KnownStyles | None:
    """
    Read what weights know of styles; None if they hold nothing of it, as those of other programs and older ones.

    Parameters
    ----------
    model : str or Path
        As of `weights_path`.

    Raises
    ------
    MissingFileError, InputError
        If there are no such weights, they are damaged, or what they hold of styles is.
    """
    path = weights_path(model)
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names if name.startswith(PREFIX)}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} holds no safetensors weights: {error}", hint="The file may be damaged.") from error
    try:
        return KnownStyles.from_tensors(tensors)
    except InputError as error:
        raise InputError(f"{path}: {error}", hint="The file may be damaged.") from error


def add_known_styles(model: str | Path, known_styles: KnownStyles) -> Path:
    """
    Write what is known of styles into the file of weights, whose own tensors stay as they are, bit for bit.

    Parameters
    ----------
    model : str or Path
        As of `weights_path`; what its file held of styles is replaced.
    known_styles : KnownStyles

    Returns
    -------
    path : Path
        Of the file, which has another hash now: style cards belong to the weights they were made with.
    """
    path = weights_path(model)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = {name: tensor for name, tensor in load_file(path).items() if not name.startswith(PREFIX)}
    write_together(
        [path], lambda hidden: hidden[path].write_bytes(save(tensors | known_styles.tensors(), metadata=metadata))
    )
    return path
