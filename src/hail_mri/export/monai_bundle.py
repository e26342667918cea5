"""A model as a MONAI bundle: a folder with weights, metadata, a configuration that runs, and a README.

A *bundle* is MONAI's way to share a model (https://docs.monai.io/en/stable/mb_specification.html). What MONAI's own
bundles have and these have not is `models/model.pt`: that is a pickle, which runs whatever code is in it when it is
read. TorchScript (`model.ts`) is an archive of pickles, too, and PyTorch has given it up. So the weights are the
safetensors file that they were, to the byte, and `network_def` in the configuration reads it.
"""

from __future__ import annotations

import json
from pathlib import Path

from hail_mri.errors import OutputExistsError
from hail_mri.export.bundle_config import inference_config
from hail_mri.export.bundle_metadata import bundle_metadata, licence_text, readme
from hail_mri.export.interface import ExportedModel, read_model
from hail_mri.provenance.atomic_write import write_folder
from hail_mri.provenance.environment import DISTRIBUTION
from hail_mri.provenance.free_paths import require_folder_free
from hail_mri.provenance.sidecar import write_json

METADATA = "configs/metadata.json"


def write_bundle(model: str | Path, folder: str | Path, *, overwrite: bool = False) -> Path:
    """
    Write a model as a MONAI bundle.

    Parameters
    ----------
    model : str or Path
        A released model's name, a .safetensors file with its card beside it, or a training run's folder.
    folder : str or Path
        All of it or nothing appears.
    overwrite : bool
        Replace a bundle that was written here before; nothing else is ever replaced.

    Returns
    -------
    folder : Path

    Raises
    ------
    InputError
        If the model cannot be read.
    MissingFileError
        If there is no such model.
    OutputExistsError
        If there is something in the folder already.
    UnwritableError
        If it cannot be written.
    """
    folder = Path(folder)
    require_folder_free(folder, overwrite=overwrite)
    if folder.is_dir() and any(folder.iterdir()) and not _is_ours(folder):
        raise OutputExistsError(f"the folder {folder} is no bundle of hail-mri", hint="choose another folder")
    exported = read_model(model)
    with write_folder(folder) as hidden:
        _fill(hidden, exported)
    return folder


def _fill(folder: Path, exported: ExportedModel) -> None:
    """Write the files of a bundle."""
    for name in ("configs", "models", "docs"):
        (folder / name).mkdir()
    write_json(bundle_metadata(exported), folder / METADATA)
    write_json(inference_config(exported), folder / "configs/inference.json")
    (folder / "models/model.safetensors").write_bytes(exported.weights)
    (folder / "models/model.json").write_bytes(exported.card_text)
    (folder / "docs/README.md").write_text(readme(exported), encoding="utf-8")
    (folder / "docs/license.txt").write_text(licence_text(exported), encoding="utf-8")


def _is_ours(folder: Path) -> bool:
    """Tell whether a folder is a bundle that was written here, by its metadata."""
    try:
        return DISTRIBUTION in json.loads((folder / METADATA).read_text(encoding="utf-8"))["required_packages_version"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
