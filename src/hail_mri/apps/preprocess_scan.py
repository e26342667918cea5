"""Prepare scans from file to file: all on the grid of one reference."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hail_mri.apps.reference import LoadedReference, ReferenceFiles, load_reference, segmented
from hail_mri.apps.requests import ScanRequest, own_sidecar, require_not_read
from hail_mri.apps.scan import Report
from hail_mri.apps.scan_files import Scan, importing, read_scan
from hail_mri.errors import InputError
from hail_mri.harmonize.check import require_checked
from hail_mri.preprocess.settings import PRESETS, Preset
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.links import real_path

if TYPE_CHECKING:
    from hail_mri.preprocess.files import PreparedPaths


@dataclass(frozen=True, kw_only=True)
class PreprocessChoices:
    """What a user can choose.

    Attributes
    ----------
    preset : Preset
    spacing : float
        Of the prepared grid, mm.
    size : int
        Its voxels along each edge.
    save_brain_mask : bool
        Whether the brain mask is written, the one that was given or the one that is found.
    use_cache, force, overwrite : bool
    threads : int or None
    """

    preset: Preset = "robust"
    spacing: float = 1.0
    size: int = 256
    save_brain_mask: bool = False
    use_cache: bool = True
    force: bool = False
    overwrite: bool = False
    threads: int | None = None


def preprocess_scans(
    scan_paths: Sequence[Path],
    reference_files: ReferenceFiles,
    folder: Path,
    choices: PreprocessChoices,
    *,
    brain_mask: Path | None = None,
) -> list[Report]:
    """Prepare scans, and return what is to be said of each.

    Parameters
    ----------
    scan_paths : sequence of Path
    reference_files : ReferenceFiles
    folder : Path
        For the results; made if it is missing.
    choices : PreprocessChoices
    brain_mask : Path, optional
        Of the only scan.

    Raises
    ------
    HailError
        If anything about the request is wrong, or a scan fails a check; of that scan nothing is left behind then.
    """
    if brain_mask is not None and len(scan_paths) > 1:
        raise InputError(f"a brain mask is given for {len(scan_paths)} scans, expected one scan with it")
    from hail_mri.preprocess.files import prepared_paths

    paths = [
        prepared_paths(path, folder, settings=PRESETS[choices.preset], save_brain_mask=choices.save_brain_mask)
        for path in scan_paths
    ]
    _require_possible(scan_paths, paths, [*reference_files.read, *([brain_mask] if brain_mask else [])], choices)
    with importing("torch"):
        first = read_scan(ScanRequest(scan_paths[0], paths[0].scan, brain_mask, label=str(scan_paths[0])))
    loaded = load_reference(
        reference_files, spacing=choices.spacing, size=choices.size, threads=choices.threads, force=choices.force
    )
    reports = []
    for n, (path, places) in enumerate(zip(scan_paths, paths, strict=True)):
        scan = first if n == 0 else read_scan(ScanRequest(path, places.scan, None, label=str(path)))
        reports.append(_preprocess(scan, loaded, places, choices))
    return reports


def _preprocess(scan: Scan, loaded: LoadedReference, paths: PreparedPaths, choices: PreprocessChoices) -> Report:
    """Prepare one scan and write it."""
    from hail_mri.harmonize.limits import LIMITS_BY_NAME
    from hail_mri.harmonize.preparation import check_registration
    from hail_mri.preprocess.cache import NO_CACHE, default_cache
    from hail_mri.preprocess.files import PreparedProvenance, save_prepared
    from hail_mri.preprocess.preprocess import preprocess

    start = time.perf_counter()
    segmentation = None if scan.brain_mask is not None else segmented(scan, threads=choices.threads)
    checks = () if segmentation is None else segmentation.checks
    require_checked(scan.file.path, checks, force=choices.force)
    mask = scan.brain_mask if segmentation is None else segmentation.brain_mask
    seconds = {"read": scan.seconds, "brain mask": time.perf_counter() - start}
    start = time.perf_counter()
    settings, cache = PRESETS[choices.preset], default_cache() if choices.use_cache else NO_CACHE
    found = preprocess(scan.volume, loaded.reference, settings, brain_mask=scan.brain_mask, cache=cache)
    checks += (check_registration(found.registration),)
    if mask is not None:
        checks += (LIMITS_BY_NAME["brain where the reference's is"].check(found.brain_overlap(mask)),)
    require_checked(scan.file.path, checks, force=choices.force)
    seconds["prepare"] = time.perf_counter() - start
    warnings = tuple(scan.volume.warnings)
    provenance = PreparedProvenance(
        source=scan.file,
        reference=None if loaded.scan is None else loaded.scan.file,
        reference_mask=None if loaded.scan is None else loaded.scan.brain_mask_file,
        brain_mask=scan.brain_mask_file,
        settings=settings,
        seconds=seconds,
        warnings=warnings,
        skull_stripped=None if segmentation is None else segmentation.skull_stripped,
        checks={"Source": [asdict(check) for check in checks], "Reference": [asdict(c) for c in loaded.checks]},
    )
    there = found.resliced_mask(mask) if choices.save_brain_mask and mask is not None else None
    save_prepared(found, paths, provenance, there)
    return Report(warnings, {"Source": checks})


def _require_possible(
    scan_paths: Sequence[Path], paths: Sequence[PreparedPaths], read: Sequence[Path], choices: PreprocessChoices
) -> None:
    """Make sure, before anything is computed, that all files may be written, each once."""
    inputs = [*scan_paths, *read]
    inputs += [sidecar for sidecar in map(own_sidecar, inputs) if sidecar is not None]
    kept = [real_path(path) for path in inputs]
    taken: dict[Path, Path] = {}
    for scan_path, places in zip(scan_paths, paths, strict=True):
        for path in places.all():
            require_not_read(path, kept)
            other = taken.setdefault(real_path(path), scan_path)
            if other is not scan_path:
                raise InputError(f"{scan_path} and {other} would both become {path}", "prepare them into two folders")
            require_file_free(path, overwrite=choices.overwrite)
