"""What the heads of a store were made from, in a file beside them: heads of something else are never used unnoticed.

Heads take long to place, so they are kept from run to run, and a folder of them is easily copied to another run. By
its look, a head does not tell whose it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from hail_mri.errors import InputError
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.hashes import file_sha256
from hail_mri.provenance.sidecar import write_json

FILE_NAME = "store.json"
HINT = "delete that folder to have its heads placed again, or train in a new one"


@dataclass(frozen=True)
class StoreKey:
    """All that a head depends on, but its number.

    Attributes
    ----------
    label_maps : dict of str to str
        SHA-256 of each label map by the name of its file, in the order in which heads come from them.
    shape : (int, int, int)
    spacing_mm : float
    seed : int
    rotation_degrees : float
        Standard deviation of rotations.
    deformations : (float, float)
        The least and the most, see `new_subject`.
    """

    label_maps: dict[str, str]
    shape: tuple[int, int, int]
    spacing_mm: float
    seed: int
    rotation_degrees: float
    deformations: tuple[float, float]


def hash_files(paths: Sequence[Path]) -> dict[str, str]:
    """Return the SHA-256 of files by their names, as hexadecimal digits."""
    return {path.name: file_sha256(path) for path in paths}


def claim_store(store_dir: Path, key: StoreKey) -> None:
    """
    Write the key into a store that is empty; make sure that it is that of a store that is not.

    Parameters
    ----------
    store_dir : Path
        Is made if it is not there.
    key : StoreKey

    Raises
    ------
    InputError
        If the store was made from something else, or holds heads and no key.
    """
    wanted = json.loads(json.dumps(asdict(key)))  # with lists for tuples, as the file has them
    path = store_dir / FILE_NAME
    if any(store_dir.glob("head_*.safetensors")):
        _require_same(store_dir, _read(path), wanted)
        return
    store_dir.mkdir(parents=True, exist_ok=True)
    write_together([path], lambda hidden: write_json(wanted, hidden[path]))


def _read(path: Path) -> dict[str, Any]:
    """Return the key of a store that holds heads."""
    try:
        entries = dict(json.loads(path.read_text(encoding="utf-8")))
        known = {field.name: entries[field.name] for field in fields(StoreKey)}
        return known | {"label_maps": dict(entries["label_maps"])}
    except FileNotFoundError:
        raise InputError(f"{path.parent} holds heads, but no {path.name} that says of which label maps", HINT) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} does not say what the heads beside it were made from: {error}", HINT) from error


def _require_same(store_dir: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse a store that differs, and say in what."""
    said = [
        f"{name} {found.get(name)} (expected {wanted[name]})"
        for name in wanted
        if name != "label_maps" and found.get(name) != wanted[name]
    ]
    if differing := set(found["label_maps"].items()) ^ set(wanted["label_maps"].items()):
        said.append(f"other label maps ({', '.join(sorted({name for name, _ in differing}))})")
    if said:
        raise InputError(f"{store_dir} holds heads of {', '.join(said)}", HINT)
