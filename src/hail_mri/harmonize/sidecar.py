"""The JSON sidecar: what was done to a scan, with what, and the hashes that show whether anything changed since.

Keys that BIDS defines keep their BIDS meaning (`Sources`, `SpatialReference`, `SkullStripped`, `GeneratedBy`); ours
stand beside them in the same CamelCase.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hail_mri import __version__
from hail_mri.errors import HailError, InputError
from hail_mri.harmonize.environment import DISTRIBUTION, peak_memory_mib, versions
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import NIFTI_SUFFIXES
from hail_mri.image.regular_file import size_of_file

if TYPE_CHECKING:
    from hail_mri.harmonize.check import Check

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class InputFile:
    """A file that was read, with the SHA-256 its bytes had then (hexadecimal)."""

    path: Path
    sha256: str

    @classmethod
    def read(cls, path: Path) -> InputFile:
        """Return the file with the hash it has now.

        Raises
        ------
        MissingFileError
            If there is no such file.
        InputError
            If it cannot be read, or is no file.
        """
        size_of_file(path)
        try:
            return cls(path, file_sha256(path))
        except OSError as error:
            raise InputError(
                f"{path} cannot be read ({error.strerror})", "check the permissions of the file"
            ) from error


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What the sidecar tells about one result, except the result's own hash.

    Parameters
    ----------
    source, target : InputFile
        The scan, and the target: another scan or a style card.
    settings : HarmonizeSettings
    weights_sha256 : str
        Of the model's weights, hexadecimal.
    brain_mask, target_mask : InputFile or None
        Of the source and of the target.
    seconds : mapping of str to float
        Wall time per stage, s.
    warnings : tuple of str
    skull_stripped : bool or None
        What the tissue map says of the source; its own sidecar, if it has one, is believed first.
    checks : mapping of str to sequence of Check
        Of the source and of the target.
    """

    source: InputFile
    target: InputFile
    settings: HarmonizeSettings
    weights_sha256: str
    brain_mask: InputFile | None = None
    target_mask: InputFile | None = None
    seconds: Mapping[str, float]
    warnings: tuple[str, ...] = ()
    skull_stripped: bool | None = None
    checks: Mapping[str, Sequence[Check]] = field(default_factory=dict)


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


def describe(provenance: Provenance, result_path: Path, *, result_sha256: str) -> dict[str, Any]:
    """Return the content of a result's sidecar.

    Notes
    -----
    Paths are relative to the result's folder: they stay right when a study is moved, and do not tell who ran it where.
    """
    folder = result_path.parent.resolve()
    inputs = {"Source": provenance.source, "Target": provenance.target, "BrainMask": provenance.brain_mask}
    inputs |= {"TargetMask": provenance.target_mask}
    read = {name: file for name, file in inputs.items() if file is not None}
    relative = {name: relative_path(file.path, folder) for name, file in read.items()}
    hashes = {name: file.sha256 for name, file in read.items()}
    return {
        "Description": "T1-weighted scan in the look of another scan or site",
        "Sources": list(relative.values()),
        "SpatialReference": "orig",
        **skull_stripped(provenance.source.path, provenance.skull_stripped),
        **relative,
        "Sha256": {**hashes, "Weights": provenance.weights_sha256, "Result": result_sha256},
        "Settings": asdict(provenance.settings),
        "Seconds": {stage: round(seconds, 3) for stage, seconds in provenance.seconds.items()},
        "PeakMemoryMiB": peak_memory_mib(),
        "Warnings": list(provenance.warnings),
        "Checks": {name: list(map(asdict, checks)) for name, checks in provenance.checks.items()},
        **generated_by(),
    }


def generated_by() -> dict[str, Any]:
    """Return the part of any sidecar that tells by which software and on which machine."""
    return {
        "GeneratedBy": [{"Name": DISTRIBUTION, "Version": __version__}],
        "Versions": versions(),
        "Platform": platform.platform(),
    }


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON in UTF-8 and wait until it is on the disk."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def relative_path(path: Path, folder: Path) -> str:
    """Return a path as seen from a folder, with forward slashes."""
    return Path(os.path.relpath(path.resolve(), folder)).as_posix()


def skull_stripped(source_path: Path, found: bool | None) -> dict[str, bool]:
    """Return the source's own `SkullStripped`, if its sidecar has one, or else what was found."""
    known = read_sidecar(source_path).get("SkullStripped")
    told = known if isinstance(known, bool) else found
    return {} if told is None else {"SkullStripped": told}


def read_sidecar(image_path: Path) -> dict[str, Any]:
    """Return what the sidecar of an image tells; nothing if there is none, or none that can be read."""
    try:
        path = sidecar_path(image_path)
        size_of_file(path)
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, HailError):
        return {}
    return told if isinstance(told, dict) else {}
