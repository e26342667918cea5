"""Real scans, prepared once, as files of which a patch can be read alone.

Each scan becomes a safetensors file named by the hash of what it depends on: the scan's bytes and how it is prepared.
Patches are read from it without reading the rest (the file is mapped into memory).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from hail_mri.errors import HailError, InputError
from hail_mri.image.nifti import load_volume
from hail_mri.preprocess.cache import EstimateCache, default_cache
from hail_mri.preprocess.preprocess import Preprocessed, preprocess
from hail_mri.preprocess.reference import Reference
from hail_mri.preprocess.reslicing import reslice
from hail_mri.preprocess.settings import PRESETS, Preset
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.hashes import file_sha256
from hail_mri.training.data.scan_table import ScanRow
from hail_mri.training.running.budget import Budget

OnBad = Literal["stop", "skip"]
FORMAT = 1  # of the files; another number makes all be prepared anew
N_PLACES = 4096  # voxels of the head that are kept as middles of patches
MASK_LEVEL = 0.5

Index = tuple[int, int, int]


@dataclass(frozen=True)
class PreparedScan:
    """A scan of the store.

    Attributes
    ----------
    row : ScanRow
    path : Path
        Of the file in the store.
    """

    row: ScanRow
    path: Path

    def shape(self) -> Index:
        """Return the shape of the grid."""
        with safe_open(self.path, framework="pt") as file:
            i, j, k = file.get_slice("volume").get_shape()
        return i, j, k

    def places(self) -> Tensor:
        """Return voxels of the head, (n, 3) int64, in a random order that is always the same."""
        with safe_open(self.path, framework="pt") as file:
            return file.get_tensor("places").long()

    def shows(self, place: Index) -> bool:
        """Return whether a voxel is in the head."""
        with safe_open(self.path, framework="pt") as file:
            i, j, k = place
            return bool(file.get_slice("head")[i : i + 1, j : j + 1, k : k + 1].item())

    def patch(self, start: Index, edge: int) -> tuple[Tensor, Tensor]:
        """Return intensities on [0, 1] and head mask of a cube, each (edge, edge, edge) float32."""
        with safe_open(self.path, framework="pt") as file:
            spans = tuple(slice(s, s + edge) for s in start)
            return file.get_slice("volume")[spans].float(), file.get_slice("head")[spans].float()


def prepare_scans(
    rows: Sequence[ScanRow],
    reference: Reference,
    store_dir: Path,
    *,
    preset: Preset,
    on_bad: OnBad,
    budget: Budget,
    say: Callable[[str], None],
) -> list[PreparedScan]:
    """
    Prepare what is not in the store.

    Parameters
    ----------
    rows : sequence of ScanRow
    reference : Reference
        On whose grid all lie.
    store_dir : Path
    preset : "robust" or "paper"
    on_bad : "stop" or "skip"
        What is done about scans that cannot be used: all are named first, so that a table is mended once.
    budget : Budget
        The time it may take.
    say : callable
        Takes one line at a time.

    Returns
    -------
    scans : list of PreparedScan
        In order, without those that were skipped.

    Raises
    ------
    InputError
        If a scan cannot be used and none is to be skipped, or the time is over.
    """
    store_dir.mkdir(parents=True, exist_ok=True)
    cache, scans, unusable = default_cache(), [], []
    for number, row in enumerate(rows, start=1):
        try:
            path = store_dir / f"{_key(row, reference, preset)}.safetensors"
            if not path.is_file():
                _write(_prepared(row, reference, preset, cache), path)
                say(f"scan {number} of {len(rows)} is prepared: {row.path}")
        except (HailError, OSError) as error:
            unusable.append(f"{row.path} (subject {row.subject}, site {row.site}) cannot be learned from: {error}")
            say(f"skipped: {unusable[-1]}" if on_bad == "skip" else unusable[-1])
            continue
        if budget.seconds_left <= 0 and number < len(rows):
            raise InputError(
                f"the {budget.seconds / 60:g} minutes are over and {number} of {len(rows)} scans are prepared",
                "run it again with more minutes; scans that are prepared are kept",
            )
        scans.append(PreparedScan(row, path))
    if unusable and on_bad == "stop":
        more = f" ({len(unusable) - 1} more are named above)" if len(unusable) > 1 else ""
        raise InputError(unusable[0] + more, "take it out of the table, or set bad_scans to skip")
    return scans


def _prepared(row: ScanRow, reference: Reference, preset: Preset, cache: EstimateCache) -> Preprocessed:
    """Prepare a scan; one that does not lie where the reference does has no corresponding locations."""
    found = preprocess(load_volume(row.path), reference, PRESETS[preset], cache=cache)
    if found.registration.verdict == "fail":
        raise InputError(f"it is probably not registered to {reference.name}", "look at it with hail-mri preprocess")
    return found


def _write(found: Preprocessed, path: Path) -> None:
    """Keep what patches are read from; half precision is finer than any scan."""
    head = reslice(
        found.prepared.canonical.with_data(found.prepared.head.astype(np.float32)),
        found.reference.grid,
        found.registration.matrix,
    ).data
    inside = torch.from_numpy(head > MASK_LEVEL)
    places = inside.nonzero()
    if len(places) == 0:
        raise InputError("nothing of its head lies on the reference's grid")
    chosen = torch.randperm(len(places), generator=torch.Generator().manual_seed(0))[:N_PLACES]
    tensors: Mapping[str, Tensor] = {
        "volume": torch.from_numpy(found.volume.data.astype(np.float16)),
        "head": inside.to(torch.uint8).contiguous(),
        "places": places[chosen].to(torch.int16).contiguous(),
    }
    write_together([path], lambda hidden: hidden[path].write_bytes(save(dict(tensors))))


def _key(row: ScanRow, reference: Reference, preset: Preset) -> str:
    """Return the hash of what a prepared scan depends on."""
    grid = reference.grid
    entries = [
        FORMAT,
        file_sha256(row.path),
        reference.name,
        preset,
        list(grid.shape),
        np.asarray(grid.affine).tolist(),
    ]
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()[:32]
