"""What is measured of a scan and its result: regional features, and where the brain is; kept, for it takes seconds."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hail_mri.errors import HailError, InputError
from hail_mri.harmonize.check import Check, failures
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.nifti import load_volume
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.hashes import InputFile
from hail_mri.provenance.regular_file import size_of_file
from hail_mri.provenance.sidecar import write_json
from hail_mri.report.study.features import Numbers, deep_in, feature_names, intensities

KEPT_DIR = "study_features"  # in the folder of the results
EDITION = 2  # of what is measured; another one is measured again
MODEL = HarmonizeSettings.model  # who finds the tissues, whichever model made the result
Box = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class ScanMeasures:
    """What was measured of a scan before and after.

    Attributes
    ----------
    before, after : dict of str to float
        By `feature_names`, in the scan's own units and in the target's; NaN where there is none; empty if nothing could
        be measured.
    box : (i, i, j, j, k) tuple of int, or None
        In canonical axes: the brain's first and last voxel along R and A, and the slice in the middle of it along S.
    reason : str
        Why nothing could be measured; empty if it was.
    """

    before: Numbers = field(default_factory=dict)
    after: Numbers = field(default_factory=dict)
    box: Box | None = None
    reason: str = ""


def measure_files(source: Path, result: Path, kept_dir: Path) -> ScanMeasures:
    """Measure a scan and its result, or take what was kept of the same two files.

    Parameters
    ----------
    source, result : Path
    kept_dir : Path
        Where what was measured is kept, a JSON file for each scan.

    Raises
    ------
    UnwritableError
        If it cannot be kept.

    Notes
    -----
    What cannot be read or measured is told in `ScanMeasures.reason`, and not kept.
    """
    try:
        kept_path = kept_dir / f"{_key(source, result)}.json"
        kept = _read_kept(kept_path)
        if kept is not None:
            return kept
        found = measure(load_volume(source), load_volume(result))
    except HailError as error:
        return ScanMeasures(reason=str(error))
    write_together([kept_path], lambda hidden: write_json(_as_json(found), hidden[kept_path]))
    return found


def measure(source: Volume, result: Volume) -> ScanMeasures:
    """
    Measure a scan and its result.

    Parameters
    ----------
    source : Volume
    result : Volume
        On the same grid.

    Raises
    ------
    InputError
        If the grids differ, no brain is found in one of them, or its tissues fail a check.
    """
    from hail_mri.segmentation.segment import segment

    if not source.grid.is_close(result.grid):
        raise InputError(f"source ({source.shape}) and result ({result.shape}) are not on the same grid")
    found = segment(source, model=MODEL)
    _require_believable("source", found.checks)
    labels = to_canonical(found.labels).data.astype(np.uint8)
    brain_mask = to_canonical(found.brain_mask)
    brain = brain_mask.data > 0
    deep = deep_in(brain, brain_mask.spacing)
    again = segment(result, model=MODEL)
    _require_believable("result", again.checks)
    before, after = (
        _volumes(segmentation.volumes_ml, segmentation.brain_volume_ml)
        | intensities(to_canonical(volume).data, labels, brain, deep)
        for segmentation, volume in ((found, source), (again, result))
    )
    return ScanMeasures(before, after, _box(brain))


def _require_believable(name: str, checks: Sequence[Check]) -> None:
    """Refuse tissues that fail a check: their features would be those of something else."""
    for check in failures(checks):
        raise InputError(
            f"the tissues found in the {name} are not to be believed: {check.name} is {check.found}, expected "
            f"{check.expected}"
        )


def _volumes(volumes_ml: Mapping[str, float], brain_volume_ml: float) -> Numbers:
    """Return volumes by the names of features, in ml."""
    named = {f"{tissue}_volume_ml": volume for tissue, volume in volumes_ml.items()}
    named["brain_volume_ml"] = brain_volume_ml
    return {name: named[name] for name in feature_names() if name in named}


def _box(brain: np.ndarray[Any, np.dtype[np.bool_]]) -> Box:
    """Return where the brain is."""
    if not brain.any():
        raise InputError("no brain was found in the source")
    first, second = (np.flatnonzero(brain.any(axis=axes)) for axes in ((1, 2), (0, 2)))
    below = brain.sum(axis=(0, 1)).cumsum()
    middle = int(np.searchsorted(below, below[-1] / 2))
    return int(first[0]), int(first[-1]), int(second[0]), int(second[-1]), middle


def _key(source: Path, result: Path) -> str:
    """Return what tells a measurement apart: its files, who finds the tissues, and what is measured."""
    from hail_mri.model.weights import weights_hash

    parts = [InputFile.read(source).sha256, InputFile.read(result).sha256, weights_hash(MODEL), str(EDITION)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]


def _as_json(found: ScanMeasures) -> dict[str, Any]:
    """Return measures as JSON has them, which knows no NaN."""
    told = asdict(found)
    for state in ("before", "after"):
        told[state] = {name: None if math.isnan(value) else value for name, value in told[state].items()}
    return told


def _read_kept(path: Path) -> ScanMeasures | None:
    """Return what was kept; None if there is nothing, or nothing whole."""
    try:
        size_of_file(path)
        told = json.loads(path.read_text(encoding="utf-8"))
        before, after = (
            {name: _number(told[state][name]) for name in feature_names()} for state in ("before", "after")
        )
        i0, i1, j0, j1, k = map(int, told["box"])
        return ScanMeasures(before, after, (i0, i1, j0, j1, k))
    except (HailError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _number(value: float | None) -> float:
    """Return a number of JSON."""
    return float("nan") if value is None else float(value)
