"""A prepared scan as files: the scan, its bias field, the transform, and a sidecar that tells how to go back.

Names are those of the scan with what BIDS calls `desc`: `sub-01_T1w.nii.gz` becomes `sub-01_desc-prepared_T1w.nii.gz`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hail_mri.errors import InputError
from hail_mri.image.nifti import READABLE_SUFFIXES, save_bytes, save_volume
from hail_mri.image.orientation import orient_like
from hail_mri.image.volume import Volume
from hail_mri.preprocess.preprocess import Preprocessed
from hail_mri.preprocess.registration import Registration
from hail_mri.preprocess.rigid import rotation_angle, write_transform
from hail_mri.preprocess.settings import PreprocessSettings
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.environment import peak_memory_mib
from hail_mri.provenance.hashes import InputFile, file_sha256
from hail_mri.provenance.sidecar import generated_by, relative_path, sidecar_path, skull_stripped, write_json

SUFFIX = "_T1w"


@dataclass(frozen=True)
class PreparedPaths:
    """Where a prepared scan goes; the bias field is on the scan's own grid, the brain mask on the prepared one."""

    scan: Path
    transform: Path
    bias_field: Path | None
    brain_mask: Path | None

    @property
    def sidecar(self) -> Path:
        """The sidecar of the prepared scan, JSON."""
        return sidecar_path(self.scan)

    def all(self) -> list[Path]:
        """Return all files, the prepared scan first."""
        return [self.scan, self.sidecar, self.transform, *(p for p in (self.bias_field, self.brain_mask) if p)]


@dataclass(frozen=True, kw_only=True)
class PreparedProvenance:
    """What the sidecar tells beside what was found.

    Attributes
    ----------
    source : InputFile
    reference, reference_mask, brain_mask : InputFile or None
        The reference's file, None for one that is built in; masks that were given.
    settings : PreprocessSettings
    seconds : mapping of str to float
    warnings : sequence of str
    skull_stripped : bool or None
    checks : mapping of str to sequence of dict
        By scan.
    """

    source: InputFile
    reference: InputFile | None
    reference_mask: InputFile | None
    brain_mask: InputFile | None
    settings: PreprocessSettings
    seconds: Mapping[str, float]
    warnings: Sequence[str] = ()
    skull_stripped: bool | None = None
    checks: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def prepared_paths(
    scan_path: Path, folder: Path, *, settings: PreprocessSettings, save_brain_mask: bool
) -> PreparedPaths:
    """Return where a scan goes in a folder.

    Examples
    --------
    >>> paths = prepared_paths(Path("in/a_T1w.nii"), Path("out"), settings=PreprocessSettings(), save_brain_mask=False)
    >>> [path.name for path in paths.all()][:3]
    ['a_desc-prepared_T1w.nii.gz', 'a_desc-prepared_T1w.json', 'a_from-reference_to-scan_mode-points_xfm.txt']
    """
    name = scan_path.name
    stem = next((name[: -len(suffix)] for suffix in READABLE_SUFFIXES if name.lower().endswith(suffix)), name)
    suffix = SUFFIX if stem.endswith(SUFFIX) else ""
    base = stem.removesuffix(suffix)
    return PreparedPaths(
        folder / f"{base}_desc-prepared{suffix}.nii.gz",
        folder / f"{base}_from-reference_to-scan_mode-points_xfm.txt",
        folder / f"{base}_desc-bias_field.nii.gz" if settings.bias_correction else None,
        folder / f"{base}_desc-brain_mask.nii.gz" if save_brain_mask else None,
    )


def save_prepared(
    found: Preprocessed, paths: PreparedPaths, provenance: PreparedProvenance, brain_mask: Volume | None = None
) -> None:
    """Write a prepared scan and what is needed to go back, all or nothing.

    Parameters
    ----------
    found : Preprocessed
    paths : PreparedPaths
        Files that are there are replaced.
    provenance : PreparedProvenance
    brain_mask : Volume, optional
        On the prepared grid, 1 inside; needed where `paths` has a place for it.

    Raises
    ------
    UnwritableError
        If a file cannot be written; nothing new is left then.
    """
    if (brain_mask is None) != (paths.brain_mask is None):
        raise InputError("a brain mask and its path are needed, or neither")

    def write(hidden: Mapping[Path, Path]) -> None:
        save_volume(found.volume, hidden[paths.scan], overwrite=True)
        write_transform(found.registration.matrix, found.registration.centre, hidden[paths.transform])
        if paths.bias_field is not None and found.bias is not None:
            factor = found.prepared.canonical.with_data(found.bias.factor())
            save_volume(orient_like(factor, found.source.grid), hidden[paths.bias_field], overwrite=True)
        if paths.brain_mask is not None and brain_mask is not None:
            save_bytes(brain_mask.data.astype(np.uint8), brain_mask, hidden[paths.brain_mask])
        record = _describe(found, paths, provenance, file_sha256(hidden[paths.scan]))
        write_json(record, hidden[paths.sidecar])

    write_together(paths.all(), write)


def describe_registration(registration: Registration) -> dict[str, Any]:
    """Return what a sidecar tells of a registration."""
    return {
        "ReferenceToScan": registration.matrix.round(9).tolist(),
        "RotationDegrees": round(rotation_angle(registration.matrix), 3),
        "MutualInformation": round(registration.similarity, 4),
        "Contrast": round(registration.contrast, 3),
        "Detail": round(registration.detail, 3),
        "Lead": round(registration.lead, 3),
        "Overlap": round(registration.overlap, 4),
        "Verdict": registration.verdict,
    }


def _describe(found: Preprocessed, paths: PreparedPaths, provenance: PreparedProvenance, sha256: str) -> dict[str, Any]:
    """Return the content of the sidecar."""
    folder = paths.scan.parent.resolve()
    inputs = {
        "Source": provenance.source,
        "Reference": provenance.reference,
        "ReferenceMask": provenance.reference_mask,
        "BrainMask": provenance.brain_mask,
    }
    read = {name: file for name, file in inputs.items() if file is not None}
    relative = {name: relative_path(file.path, folder) for name, file in read.items()}
    written = {"Transform": paths.transform, "BiasField": paths.bias_field, "PreparedBrainMask": paths.brain_mask}
    return {
        "Description": "T1-weighted scan on the grid of a reference",
        "Sources": list(relative.values()),
        "SpatialReference": relative.get("Reference", found.reference.name),
        **skull_stripped(provenance.source.path, provenance.skull_stripped),
        **relative,
        "Files": {name: path.name for name, path in written.items() if path is not None},
        "Sha256": {**{name: file.sha256 for name, file in read.items()}, "Result": sha256},
        "Settings": asdict(provenance.settings),
        "Grid": {"Shape": list(found.scaled.shape), "Affine": found.scaled.affine.tolist()},
        "Scale": {"Zero": found.scale.low, "One": found.scale.high, "NoSignal": found.prepared.scale.low},
        "Clipped": round(found.clipped, 6),
        "Registration": describe_registration(found.registration),
        "Seconds": {stage: round(seconds, 3) for stage, seconds in provenance.seconds.items()},
        "PeakMemoryMiB": peak_memory_mib(),
        "Warnings": list(provenance.warnings),
        "Checks": dict(provenance.checks),
        **generated_by(),
    }
