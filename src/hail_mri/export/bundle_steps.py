"""The steps that a bundle's configuration names: prepare scans, run the network, save what it says.

An *item* is one call of the network: names of inputs, and the files or tensors that go in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hail_mri.image.grid import Grid
from hail_mri.image.nifti import load_volume, save_bytes, save_volume
from hail_mri.image.volume import Volume
from hail_mri.preprocess.prepare import prepare
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.sidecar import NIFTI_SUFFIXES

Item = dict[str, Any]


@dataclass(frozen=True)
class PrepareScans:
    """Bring the scans of an item to the network grid and to [0, 1].

    Attributes
    ----------
    spacing : float
        Of the network grid, mm.
    stride : int
        The network grid's edges are multiples of it.
    """

    spacing: float
    stride: int

    def __call__(self, paths: Mapping[str, str | Path]) -> Item:
        """
        Return the inputs of the network, with the grid and the path of the first scan.

        Parameters
        ----------
        paths : mapping of str to path
            Where the scan of each name is; the first is the one that the result belongs to.

        Returns
        -------
        item : dict
            A (1, i, j, k) float32 tensor by each name, its weights by `<name>_weight`, and `grid` and `path`.
        """
        item: Item = {}
        for name, path in paths.items():
            prepared = prepare(load_volume(path), spacing=self.spacing, stride=self.stride)
            item[name] = torch.from_numpy(prepared.data)[None]
            item[f"{name}_weight"] = torch.from_numpy(prepared.weight)[None]
            item.setdefault("grid", prepared.grid)
            item.setdefault("path", Path(path))
        return item


@dataclass(frozen=True)
class SavePrediction:
    """Write what a network says, on the network grid, to NIfTI files named after the scan.

    Attributes
    ----------
    output_dir : str or Path
        Made if it is missing; files that exist are not replaced.
    channels : sequence of str
        Names of the network's channels.
    adds_up : bool
        Whether channels are shares from 0 to 1: they become one file, `<scan>_probseg.nii.gz`. Else each becomes its
        own, `<scan>_<channel>.nii.gz`, on the [0, 1] scale.
    """

    output_dir: str | Path
    channels: Sequence[str]
    adds_up: bool

    def __call__(self, item: Mapping[str, Any]) -> list[Path]:
        """
        Write `pred`, (C, i, j, k), of an item.

        Returns
        -------
        paths : list of Path

        Raises
        ------
        OutputExistsError, UnwritableError
            If a file exists or cannot be written.
        """
        folder, name, maps = Path(self.output_dir), _stem(item["path"]), item["pred"].cpu().numpy()
        grid: Grid = item["grid"]
        volumes = [Volume(data, grid.affine) for data in maps]
        paths = [folder / f"{name}_{kind}.nii.gz" for kind in (("probseg",) if self.adds_up else self.channels)]
        for path in paths:
            require_file_free(path, overwrite=False)
        folder.mkdir(parents=True, exist_ok=True)
        if self.adds_up:
            save_bytes(np.rint(255 * maps).astype(np.uint8), volumes[0], paths[0], slope=1 / 255)
            return paths
        for volume, path in zip(volumes, paths, strict=True):
            save_volume(volume, path)
        return paths


@dataclass(frozen=True)
class Inference:
    """Run a network on every item of a data set.

    Attributes
    ----------
    dataset : iterable of items
        As `PrepareScans` returns them.
    network : nn.Module
    inferer : callable
        MONAI's: it is given the first input, the network, and the other inputs by name.
    postprocessing : callable
        Given each item with `pred`.
    inputs : sequence of str
        Names of the network's inputs.
    device : torch.device
    """

    dataset: Iterable[Item]
    network: torch.nn.Module
    inferer: Callable[..., torch.Tensor]
    postprocessing: Callable[[Item], list[Path]]
    inputs: Sequence[str]
    device: torch.device

    @torch.inference_mode()
    def run(self) -> list[Path]:
        """Return the files that were written."""
        written: list[Path] = []
        for item in self.dataset:
            first, *others = (item[name][None].to(self.device) for name in self.inputs)
            pred = self.inferer(first, self.network, **dict(zip(self.inputs[1:], others, strict=True)))
            written += self.postprocessing({**item, "pred": pred[0]})
        return written


def _stem(path: Path) -> str:
    """Return the name of a scan without its suffix."""
    return next((path.name.removesuffix(suffix) for suffix in NIFTI_SUFFIXES if path.name.endswith(suffix)), path.stem)
