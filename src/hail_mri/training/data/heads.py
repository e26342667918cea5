"""A store of phantoms on disk: the slow half of the simulation, done once.

Drawing a subject and reading its label map costs a second on a CPU; scanning a phantom at a random site costs a
twentieth of that. So a run places a few hundred deformed subjects by random rigid transforms once, and scans them at
new sites with new fields and new noise at every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save

from hail_mri.provenance.atomic_write import write_together
from hail_mri.simulation.label_maps import LabelMap, load_label_map
from hail_mri.simulation.phantoms import Phantom, centred_affine, place, random_transform
from hail_mri.simulation.subjects import new_subject
from hail_mri.training.data.store_key import StoreKey, claim_store, hash_files

ROTATION_DEGREES = 10.0  # standard deviation: scans are read on their own axes, and heads lie tilted in them
DEFORMATIONS = (0.5, 1.8)  # see `new_subject`: few label maps have to stand for all heads


def head_path(store_dir: Path, index: int) -> Path:
    """Return the file of one head."""
    return store_dir / f"head_{index:05d}.safetensors"


def count_heads(store_dir: Path, n_heads: int) -> int:
    """Return how many of the first `n_heads` heads are there."""
    return sum(head_path(store_dir, index).exists() for index in range(n_heads))


def fill_store(
    store_dir: Path,
    label_map_paths: Sequence[Path],
    *,
    n_heads: int,
    shape: tuple[int, int, int],
    spacing: float,
    seed: int,
) -> Iterator[int]:
    """
    Place heads until the store holds `n_heads`; those that are there are kept.

    Head i comes from label map i modulo the number of label maps and depends on nothing but `seed` and i.

    Parameters
    ----------
    store_dir : Path
    label_map_paths : sequence of Path
        FreeSurfer-style label maps.
    n_heads : int
    shape : (int, int, int)
    spacing : float
        mm.
    seed : int

    Returns
    -------
    counts : iterator of int
        Heads placed so far, after each one; nothing is placed before it is asked for.

    Raises
    ------
    InputError
        If the store holds heads that were made from other label maps, or with other settings.
    """
    key = StoreKey(hash_files(label_map_paths), shape, spacing, seed, ROTATION_DEGREES, DEFORMATIONS)
    claim_store(store_dir, key)
    return _place_missing(store_dir, label_map_paths, n_heads, key)


def _place_missing(store_dir: Path, label_map_paths: Sequence[Path], n_heads: int, key: StoreKey) -> Iterator[int]:
    """Place the heads that are missing, label map by label map; yield how many are there."""
    affine = centred_affine(key.shape, key.spacing_mm)
    n_done = count_heads(store_dir, n_heads)
    for first, path in enumerate(label_map_paths):
        missing = [i for i in range(first, n_heads, len(label_map_paths)) if not head_path(store_dir, i).exists()]
        label_map = load_label_map(path) if missing else None
        for index in missing:
            head = _new_head(label_map, key.shape, affine, seed=key.seed * 1_000_003 + index)
            save_head(head, head_path(store_dir, index))
            n_done += 1
            yield n_done


def _new_head(label_map: LabelMap | None, shape: tuple[int, int, int], affine: np.ndarray, *, seed: int) -> Phantom:
    """Draw a subject and a rigid transform, and make the phantom."""
    if label_map is None:
        raise AssertionError("a label map is loaded whenever a head is missing")
    generator = torch.Generator().manual_seed(seed + 1)
    transform = random_transform(generator, degrees=ROTATION_DEGREES)
    low, high = DEFORMATIONS
    deformation = low + (high - low) * float(torch.rand((), generator=generator))
    return place(new_subject(label_map, seed, deformation=deformation), shape, affine, transform=transform)


def save_head(head: Phantom, path: Path) -> None:
    """Write a phantom; the factors of its tissues are kept in half precision."""
    tensors = {
        "shape": torch.tensor(head.shape),
        "affine": torch.from_numpy(head.affine),
        "voxels": head.voxels.int(),
        "tissue": head.tissue.contiguous(),
        "tissue_factors": head.tissue_factors.half().contiguous(),
    }
    write_together([path], lambda hidden: hidden[path].write_bytes(save(tensors)))


def load_head(path: Path) -> Phantom:
    """Read a phantom."""
    tensors = load_file(path)
    i, j, k = tensors["shape"].tolist()
    return Phantom(
        (i, j, k),
        tensors["affine"].numpy(),
        tensors["voxels"].long(),
        tensors["tissue"],
        tensors["tissue_factors"].float(),
    )
