"""What was estimated of a scan is kept in a few kilobytes, so that a target or a second run needs no second estimate.

An entry is named by the hash of everything it depends on: the voxels, where they are, the settings and the version of
the package. It holds numbers alone, no voxel of a scan. What cannot be read is estimated again, and where nothing can
be written nothing is kept: a cache must never be in the way.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from hail_mri import __version__
from hail_mri.errors import HailError
from hail_mri.image.volume import Volume
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.regular_file import size_of_file

Arrays = dict[str, NDArray[Any]]

FOLDER_VARIABLE = "HAIL_MRI_CACHE"  # where to keep entries; empty keeps none
LARGEST_ENTRY = 1 << 22  # bytes; a larger file is none of ours


class EstimateCache:
    """Estimates by what they depend on.

    Parameters
    ----------
    folder : Path or None
        Made when something is kept; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, key: str, expected: Mapping[str, tuple[int, ...]], estimate: Callable[[], Arrays]) -> Arrays:
        """Return what is kept under a key, or estimate and keep it.

        Parameters
        ----------
        key : str
            See `cache_key`.
        expected : mapping of str to tuple of int
            Shape of each array; an entry of other arrays, or with values that are not finite, is none.
        estimate : callable
        """
        if self.folder is None:
            return estimate()
        path = self.folder / f"{key}.safetensors"
        kept = _read(path)
        if kept is not None and {name: array.shape for name, array in kept.items()} == dict(expected):
            return kept
        arrays = estimate()
        with suppress(HailError, OSError):
            write_together([path], lambda hidden: save_file(arrays, hidden[path]))
        return arrays


NO_CACHE = EstimateCache(None)


def default_cache() -> EstimateCache:
    """Return the cache in the folder that HAIL_MRI_CACHE names, or in the user's own for caches, if there is one."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named is not None:
        return EstimateCache(Path(named) if named else None)
    with suppress(RuntimeError):  # no home
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return EstimateCache(Path(base) / "hail-mri")
    return NO_CACHE


def cache_key(what: str, *parts: Volume | NDArray[Any] | Mapping[str, Any] | None) -> str:
    """Return the name of an entry: a hash of the version and of all that an estimate depends on.

    Parameters
    ----------
    what : str
        Name of the estimate.
    *parts : Volume, ndarray, mapping or None
        A mapping is hashed as JSON.
    """
    digest = hashlib.sha256(f"{__version__} {what}".encode())
    for part in parts:
        for array in _arrays_of(part):
            digest.update(f"|{array.dtype.str}{array.shape}|".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _arrays_of(part: Volume | NDArray[Any] | Mapping[str, Any] | None) -> list[NDArray[Any]]:
    """Return what is to be hashed of a part."""
    if part is None:
        return [np.zeros(0)]
    if isinstance(part, Volume):
        return [part.data, np.asarray(part.affine)]
    if isinstance(part, np.ndarray):
        return [part]
    return [np.frombuffer(json.dumps(part, sort_keys=True).encode(), np.uint8)]


def _read(path: Path) -> Arrays | None:
    """Return the arrays of an entry, or None if there is none that can be read."""
    try:
        if size_of_file(path) > LARGEST_ENTRY:
            return None
        arrays: Arrays = load_file(path)
    except (OSError, HailError, SafetensorError, ValueError):
        return None
    return arrays if all(np.isfinite(array).all() for array in arrays.values()) else None
