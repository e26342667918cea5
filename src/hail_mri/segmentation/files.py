"""A segmentation as files: labels with a table of names and volumes, and what else was asked for, all or none.

Labels and table are those of BIDS (`dseg.nii.gz`, `dseg.tsv`): the table has a row for each tissue, with its index, its
name and, ours, its volume in ml.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hail_mri.errors import InputError
from hail_mri.image.nifti import save_bytes
from hail_mri.model.tissue_classes import CLASS_INDEX
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.hashes import InputFile, file_sha256
from hail_mri.provenance.links import real_path
from hail_mri.provenance.sidecar import generated_by, relative_path, sidecar_path, skull_stripped, write_json

if TYPE_CHECKING:
    from hail_mri.segmentation.segment import Segmentation


@dataclass(frozen=True)
class SegmentationPaths:
    """Where a segmentation goes; names of images end in .nii or .nii.gz."""

    labels: Path
    probabilities: Path | None = None
    brain_mask: Path | None = None

    @property
    def sidecar(self) -> Path:
        """The labels' sidecar, JSON."""
        return sidecar_path(self.labels)

    @property
    def table(self) -> Path:
        """The table of names and volumes, TSV."""
        return self.sidecar.with_suffix(".tsv")

    def all(self) -> list[Path]:
        """Return all files, the labels first."""
        asked = [path for path in (self.probabilities, self.brain_mask) if path is not None]
        return [self.labels, self.table, self.sidecar, *asked]


@dataclass(frozen=True)
class SegmentationInputs:
    """What a segmentation was made of: the scan, a brain mask if there was one, and the weights."""

    scan: InputFile
    brain_mask: InputFile | None
    weights_sha256: str
    warnings: tuple[str, ...]


def require_paths_free(paths: SegmentationPaths, *, overwrite: bool) -> None:
    """Make sure, before anything is computed, that all files may be written.

    Raises
    ------
    InputError, OutputExistsError, UnwritableError
        If a name is no name for an image, a folder, or given twice; a file exists and `overwrite` is False; or it
        cannot be written.
    """
    taken: dict[Path, Path] = {}
    for path in paths.all():
        place = real_path(path)
        for other in taken:
            if place == other or other in place.parents or place in other.parents:
                raise InputError(
                    f"{path} and {taken[other]} cannot both be written, expected a name for each file",
                    hint="give each its own name",
                )
        taken[place] = path
        require_file_free(path, overwrite=overwrite)
    for image in (paths.probabilities, paths.brain_mask):
        if image is not None and sidecar_path(image) == paths.sidecar:
            raise InputError(
                f"{paths.sidecar} would belong to {paths.labels} and to {image}", hint="give each its own name"
            )


def save_segmentation(segmentation: Segmentation, paths: SegmentationPaths, inputs: SegmentationInputs) -> None:
    """Write a segmentation.

    Parameters
    ----------
    segmentation : Segmentation
        With probabilities, if a path for them is given.
    paths : SegmentationPaths
        Files that are there are replaced.
    inputs : SegmentationInputs

    Raises
    ------
    UnwritableError
        If a file cannot be written; nothing new is left then.
    """

    def write(hidden: Mapping[Path, Path]) -> None:
        labels = segmentation.labels
        save_bytes(labels.data.astype(np.uint8), labels, hidden[paths.labels])
        _write_table(segmentation, hidden[paths.table])
        if paths.probabilities is not None:
            if segmentation.probabilities is None:
                raise ValueError("probabilities are to be written, but were not kept")
            save_bytes(segmentation.probabilities, labels, hidden[paths.probabilities], slope=1 / 255)
        if paths.brain_mask is not None:
            save_bytes(segmentation.brain_mask.data.astype(np.uint8), labels, hidden[paths.brain_mask])
        sha256 = file_sha256(hidden[paths.labels])
        write_json(_describe(segmentation, paths, inputs, labels_sha256=sha256), hidden[paths.sidecar])

    write_together(paths.all(), write)


def _write_table(segmentation: Segmentation, path: Path) -> None:
    """Write the table of tissues."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["index", "name", "volume_ml"])
        for name, volume in segmentation.volumes_ml.items():
            writer.writerow([CLASS_INDEX[name], name, f"{volume:.2f}"])


def _describe(
    segmentation: Segmentation, paths: SegmentationPaths, inputs: SegmentationInputs, *, labels_sha256: str
) -> dict[str, Any]:
    """Return the content of the sidecar."""
    folder = paths.labels.parent.resolve()
    read = {"Source": inputs.scan} | ({} if inputs.brain_mask is None else {"BrainMask": inputs.brain_mask})
    hashes = {name: file.sha256 for name, file in read.items()}
    return {
        "Description": "Tissues of a T1-weighted scan of a head",
        "Sources": [relative_path(file.path, folder) for file in read.values()],
        "SpatialReference": "orig",
        **skull_stripped(inputs.scan.path, segmentation.skull_stripped),
        "BrainVolumeMl": round(segmentation.brain_volume_ml, 2),
        "Sha256": {**hashes, "Weights": inputs.weights_sha256, "Result": labels_sha256},
        "Warnings": list(inputs.warnings),
        "Checks": {"Source": [asdict(check) for check in segmentation.checks]},
        **generated_by(),
    }
