"""The JSON sidecar of an image: its name, how it is read and written, and what every one of ours tells.

Keys that BIDS defines keep their BIDS meaning (`Sources`, `SpatialReference`, `SkullStripped`, `GeneratedBy`); ours
stand beside them in the same CamelCase.
"""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hail_mri.errors import HailError, InputError
from hail_mri.provenance.environment import MAKER, versions
from hail_mri.provenance.regular_file import size_of_file

NIFTI_SUFFIXES = (".nii", ".nii.gz")


def sidecar_path(result_path: Path) -> Path:
    """Return the sidecar's path: the result's, with `.json` in place of `.nii.gz` or `.nii`.

    Raises
    ------
    InputError
        If the result's name ends with neither.

    Examples
    --------
    >>> sidecar_path(Path("out/sub-01_T1w.nii.gz")).name
    'sub-01_T1w.json'
    """
    for suffix in NIFTI_SUFFIXES:
        if result_path.name.lower().endswith(suffix) and len(result_path.name) > len(suffix):
            return result_path.with_name(result_path.name[: -len(suffix)] + ".json")
    raise InputError(
        f"{result_path} is no name for an image, expected one that ends in {' or '.join(NIFTI_SUFFIXES)}",
        "choose another name",
    )


def read_sidecar(image_path: Path) -> dict[str, Any]:
    """Return what the sidecar of an image tells; nothing if there is none, or none that can be read."""
    try:
        path = sidecar_path(image_path)
        size_of_file(path)
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, HailError):
        return {}
    return told if isinstance(told, dict) else {}


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON in UTF-8; bytes of file names that are none become escapes, which JSON knows."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def generated_by() -> dict[str, Any]:
    """Return the part of any sidecar that tells by which software and on which machine."""
    return {"GeneratedBy": [MAKER], "Versions": versions(), "Platform": platform.platform()}


def relative_path(path: Path, folder: Path) -> str:
    """Return a path as seen from a folder, with forward slashes."""
    return Path(os.path.relpath(path.resolve(), folder)).as_posix()


def skull_stripped(source_path: Path, found: bool | None) -> dict[str, bool]:
    """Return the source's own `SkullStripped`, if its sidecar has one, or else what was found."""
    known = read_sidecar(source_path).get("SkullStripped")
    told = known if isinstance(known, bool) else found
    return {} if told is None else {"SkullStripped": told}
