"""One line of a table of results, scored or taken from what was kept of it."""

import hashlib
import json
import math
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hail_mri import __version__
from hail_mri.apps.structure_maps import map_paths, write_maps
from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError
from hail_mri.evaluation.label_schemes import names_table
from hail_mri.evaluation.pair_measures import MeasureSettings, PairMeasures, measure_pair
from hail_mri.evaluation.pair_table import LABEL_MAPS, PairRow
from hail_mri.evaluation.segmentation_engines import engine_version
from hail_mri.evaluation.tissue_profile import TissueProfile, profile_from
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.hashes import file_sha256
from hail_mri.provenance.sidecar import write_json

EDITION = 3  # of what is kept: one more whenever a number of a line is added, or measured otherwise
LABELS = "labels"  # folder of label maps, among what is kept


@dataclass(frozen=True)
class Scored:
    """What became of a line.

    Attributes
    ----------
    row : PairRow
    numbers : tuple of mapping
        `metric`, `region`, `unit`, `value` and `reason` of each number; none where it failed.
    error : str
        Why it failed; empty where it did not.
    seconds : float
    profiles : tuple of TissueProfile
        What its tissues look like in each of its scans.
    segmentation : str
        Who found the tissues, and on which grid.
    maps : mapping of str to Path
        Of what was lost and what appeared, by metric; none where they are not wanted.
    warnings : tuple of str
        Why its numbers may not mean what they seem to.
    """

    row: PairRow
    numbers: tuple[Mapping[str, Any], ...] = ()
    error: str = ""
    seconds: float = 0.0
    profiles: tuple[TissueProfile, ...] = ()
    segmentation: str = ""
    maps: Mapping[str, Path] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def score_line(row: PairRow, *, kept_dir: Path, settings: MeasureSettings, maps_dir: Path | None = None) -> Scored:
    """Score a line, or take what was kept of it; an error is what became of it. Maps go to `maps_dir`, if any."""
    start = time.perf_counter()
    try:
        row.require_files()
        key = _key(row, settings)
        path, maps = kept_dir / f"{key}.json", map_paths(maps_dir, key) if maps_dir else {}
        scored = _read_kept(row, path)
        if scored is None or not all(each.is_file() for each in maps.values()):
            found = measure_pair(row, settings, kept_dir / LABELS)
            write_maps(found.structures, row, maps)
            held = _held(found)
            write_together([path], lambda hidden: write_json(held, hidden[path]))
            scored = _scored(row, held)
        return replace(scored, seconds=time.perf_counter() - start, maps=maps)
    except HailError as error:
        return Scored(row, error=one_line(error), seconds=time.perf_counter() - start)
    except Exception as error:  # noqa: BLE001 -- one bad line must not stop the others
        traceback.print_exc()  # a bug of ours is shown in full
        return Scored(row, error=f"internal error, {error!r}", seconds=time.perf_counter() - start)


def _held(found: PairMeasures) -> dict[str, Any]:
    """Return what is kept of a line, as JSON has it."""
    numbers = [
        {
            "metric": number.metric,
            "region": number.region,
            "unit": number.unit,
            "value": _kept_value(number.measurement.value),
            "reason": number.measurement.reason,
        }
        for number in found.numbers
    ]
    profiles = [asdict(profile) for profile in found.profiles]
    warnings = list(found.warnings)
    return {"numbers": numbers, "profiles": profiles, "segmentation": found.segmentation, "warnings": warnings}


def _kept_value(value: float | None) -> float | str | None:
    """Return a number as JSON has it, which knows no infinite ones: these as text."""
    return value if value is None or math.isfinite(value) else str(value)


def _scored(row: PairRow, held: Mapping[str, Any]) -> Scored:
    """Return a line with what was kept of it; raises where that is not what we keep."""
    names = {"metric", "region", "unit", "value", "reason"}
    if not all(isinstance(number, dict) and number.keys() == names for number in held["numbers"]):
        raise ValueError("not the numbers of a line")
    profiles = tuple(profile_from(profile) for profile in held["profiles"])
    return Scored(
        row,
        tuple(
            number | {"value": float(v) if isinstance(v := number["value"], str) else v} for number in held["numbers"]
        ),
        profiles=profiles,
        segmentation=str(held["segmentation"]),
        warnings=tuple(map(str, held["warnings"])),
    )


def _key(row: PairRow, settings: MeasureSettings) -> str:
    """Return the hash of all that the numbers of a line depend on."""
    files = {name: file_sha256(path) for name, path in row.files.items()}
    tables = {name: names_table(path) for name, path in row.files.items() if name in LABEL_MAPS}
    names = {name: file_sha256(table) for name, table in tables.items() if table is not None}
    engine = engine_version(settings.segmentation)
    text = json.dumps([__version__, EDITION, engine, asdict(settings), files, names], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _read_kept(row: PairRow, path: Path) -> Scored | None:
    """Return a line with what was kept of it; None if there is nothing that can be read."""
    try:
        return _scored(row, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
