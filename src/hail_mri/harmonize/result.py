"""A result is two files, the scan and its JSON sidecar, which appear together or not at all.

The sidecar tells what was done to a scan, with what, and the hashes that show whether anything has changed since.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hail_mri.harmonize.check import Check
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import save_volume
from hail_mri.image.volume import Volume
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.bids_uris import bids_uri
from hail_mri.provenance.environment import peak_memory_mib
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.hashes import InputFile, file_sha256
from hail_mri.provenance.sidecar import generated_by, relative_path, sidecar_path, skull_stripped, write_json


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
    lesion_mask, target_lesion_mask : InputFile or None
        What was left out of the statistics of each.
    reference : InputFile or None
        To which scans were registered; None if it is built in, or there is none.
    preparation : mapping of str to Any
        Of bias field and registration.
    seconds : mapping of str to float
        Wall time per stage, s.
    warnings : tuple of str
    skull_stripped : bool or None
        What the tissue map says of the source; its own sidecar, if it has one, is believed first.
    checks : mapping of str to sequence of Check
        Of the source, of the target and of the result.
    """

    source: InputFile
    target: InputFile
    settings: HarmonizeSettings
    weights_sha256: str
    brain_mask: InputFile | None = None
    target_mask: InputFile | None = None
    lesion_mask: InputFile | None = None
    target_lesion_mask: InputFile | None = None
    reference: InputFile | None = None
    preparation: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float]
    warnings: tuple[str, ...] = ()
    skull_stripped: bool | None = None
    checks: Mapping[str, Sequence[Check]] = field(default_factory=dict)


def require_free(result_path: Path, *, overwrite: bool) -> None:
    """Make sure, before anything is computed, that a result and its sidecar may be written.

    Raises
    ------
    InputError
        If the path is a folder, or its name does not end in .nii.gz or .nii.
    OutputExistsError
        If the result or its sidecar exists and `overwrite` is False.
    UnwritableError
        If the folder cannot be made or written to.
    """
    require_file_free(result_path, overwrite=overwrite)
    require_file_free(sidecar_path(result_path), overwrite=overwrite)


def save_result(volume: Volume, result_path: Path, provenance: Provenance, *, overwrite: bool = False) -> None:
    """Write a harmonized scan and its sidecar, both or neither.

    Parameters
    ----------
    volume : Volume
        In the target's intensity units, on the source's grid.
    result_path : Path
        Ends in .nii.gz or .nii; folders that are missing are made.
    provenance : Provenance
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    InputError, OutputExistsError, UnwritableError
        As `require_free`; UnwritableError also when the disk is full.

    Notes
    -----
    Both are written in full under hidden names in the same folder and renamed, the sidecar first: whoever sees a result
    sees its sidecar.
    """
    require_free(result_path, overwrite=overwrite)
    final_sidecar = sidecar_path(result_path)

    def write(hidden: Mapping[Path, Path]) -> None:
        start = time.perf_counter()
        save_volume(volume, hidden[result_path], overwrite=True)
        seconds = {**provenance.seconds, "write": time.perf_counter() - start}
        sha256 = file_sha256(hidden[result_path])
        record = describe(replace(provenance, seconds=seconds), result_path, result_sha256=sha256)
        write_json(record, hidden[final_sidecar])

    write_together([result_path, final_sidecar], write)


def describe(provenance: Provenance, result_path: Path, *, result_sha256: str) -> dict[str, Any]:
    """Return the content of a result's sidecar.

    Notes
    -----
    Paths are relative to the result's folder: they stay right when a study is moved, and do not tell who ran it where.
    `Sources` are BIDS URIs where the result lies in a BIDS data set that links to theirs.
    """
    folder = result_path.parent.resolve()
    inputs = {"Source": provenance.source, "Target": provenance.target, "BrainMask": provenance.brain_mask}
    inputs |= {"TargetMask": provenance.target_mask, "Reference": provenance.reference}
    inputs |= {"LesionMask": provenance.lesion_mask, "TargetLesionMask": provenance.target_lesion_mask}
    read = {name: file for name, file in inputs.items() if file is not None}
    relative = {name: relative_path(file.path, folder) for name, file in read.items()}
    hashes = {name: file.sha256 for name, file in read.items()}
    return {
        "Description": "T1-weighted scan in the look of another scan or site",
        "Sources": [bids_uri(file.path, result_path) or relative[name] for name, file in read.items()],
        "SpatialReference": "orig",
        **skull_stripped(provenance.source.path, provenance.skull_stripped),
        **relative,
        "Sha256": {**hashes, "Weights": provenance.weights_sha256, "Result": result_sha256},
        "Settings": asdict(provenance.settings),
        **provenance.preparation,
        "Seconds": {stage: round(seconds, 3) for stage, seconds in provenance.seconds.items()},
        "PeakMemoryMiB": peak_memory_mib(),
        "Warnings": list(provenance.warnings),
        "Checks": {name: list(map(asdict, checks)) for name, checks in provenance.checks.items()},
        **generated_by(),
    }
