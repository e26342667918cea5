"""Tissues of a source, its target and its result, and what is known of the source's own."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.segmentation_engines import (
    SEGMENTS,
    Engine,
    ScanFiles,
    ScanLabels,
    engine_version,
    find_tissues,
    read_tissues,
)
from hail_mri.image.nifti import read_volume, save_bytes
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.hashes import file_sha256
from hail_mri.provenance.lock import in_turn

EDITION = "2"  # of the label maps that are kept: another one when an engine is called otherwise
_COLUMNS = {  # of a scan: its brain mask and its finished labels; the result has the source's brain
    "source": ("brain_mask", "labels"),
    "target": ("target_brain_mask", "target_labels"),
    "harmonized": ("brain_mask", "harmonized_labels"),
}


@dataclass(frozen=True)
class PairLabels:
    """Tissues, each on the grid of its scan, numbered as `THREE_TISSUES`.

    Attributes
    ----------
    source, target, harmonized : (I, J, K) array of uint8
    known : (I, J, K) array of uint8, or None
        What the source's tissues are, where that is known, as of simulated subjects.
    made_on : str
        The grid on which the engine worked, and by what the numbers of given label maps were understood.
    """

    source: NDArray[np.uint8]
    target: NDArray[np.uint8]
    harmonized: NDArray[np.uint8]
    known: NDArray[np.uint8] | None
    made_on: str


def labels_of_pair(row: PairRow, engine: Engine, labels_dir: Path | None = None) -> PairLabels:
    """Return the tissues of a line.

    Parameters
    ----------
    row : PairRow
        Whose files are there.
    engine : Engine
    labels_dir : Path, optional
        Where label maps are kept that the engine made, so that a scan of several lines is labelled once.

    Returns
    -------
    PairLabels
        What is known is read from the column `known_labels`, or from `labels` where the engine does not take these.

    Raises
    ------
    InputError
        If the line lacks a mask or a label map; or as `find_tissues`.
    """
    found = {}
    for scan, (mask_column, labels_column) in _COLUMNS.items():
        mask, labels = row.files.get(mask_column), row.files.get(labels_column)
        needed = mask_column if engine == "atropos" else labels_column if engine not in SEGMENTS else ""
        if needed and needed not in row.files:
            raise InputError(f"the line has no {needed}", "add the column, or choose another segmentation")
        files = ScanFiles(row.files[scan], mask if engine == "atropos" else None, labels)
        found[scan] = _kept(files, engine, labels_dir) if engine in SEGMENTS else find_tissues(files, engine)
    known = row.files.get("known_labels") or (row.files.get("labels") if engine in SEGMENTS else None)
    return PairLabels(
        **{scan: labels.tissues for scan, labels in found.items()},
        known=None if known is None else read_tissues(known, row.files["source"]).tissues,
        made_on=_told(found),
    )


def _told(found: Mapping[str, ScanLabels]) -> str:
    """Return on which grid tissues were found, and by what label maps were understood: of each, if by several."""
    schemes = {scan: labels.scheme for scan, labels in found.items() if labels.scheme}
    alike = set(schemes.values())
    told = alike if len(alike) < 2 else [f"{scan}: {scheme}" for scan, scheme in schemes.items()]
    return ", ".join([found["source"].made_on, *told])


def _kept(files: ScanFiles, engine: Engine, labels_dir: Path | None) -> ScanLabels:
    """Take the label map that was kept of a scan, or make and keep it."""
    if labels_dir is None:
        return find_tissues(files, engine)
    read = [file_sha256(path) for path in (files.scan, files.brain_mask) if path is not None]
    key = hashlib.sha256("\n".join([engine, engine_version(engine), EDITION, *read]).encode()).hexdigest()
    path, note = labels_dir / f"{key}.nii.gz", labels_dir / f"{key}.txt"
    labels_dir.mkdir(parents=True, exist_ok=True)
    with in_turn(path):  # another process may be at the same scan for another line
        if path.is_file() and note.is_file():
            return ScanLabels(read_tissues(path, files.scan).tissues, note.read_text(encoding="utf-8"))
        labels = find_tissues(files, engine)
        write_together([note], lambda hidden: hidden[note].write_text(labels.made_on, encoding="utf-8"))
        save_bytes(labels.tissues, read_volume(files.scan), path)
        return labels
