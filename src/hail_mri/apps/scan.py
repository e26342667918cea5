"""One scan from file to file: read, harmonize, write with its sidecar."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hail_mri.apps.requests import ScanRequest, require_possible
from hail_mri.apps.scan_files import Scan, Target, TargetFiles, importing, read_scan, read_target
from hail_mri.harmonize.check import Check, require_checked
from hail_mri.harmonize.history import check_history
from hail_mri.harmonize.result import Provenance, save_result
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.mask import is_stripped
from hail_mri.image.volume import Volume

if TYPE_CHECKING:
    from hail_mri.apps.reference import LoadedReference


@dataclass(frozen=True)
class Report:
    """What is to be said of a scan that was harmonized.

    Attributes
    ----------
    warnings : tuple of str
    checks : dict of str to tuple of Check
        Of the source, of the target and of the result.
    """

    warnings: tuple[str, ...]
    checks: "dict[str, tuple[Check, ...]]"


def harmonize_scan(
    request: ScanRequest, target_files: TargetFiles, settings: HarmonizeSettings, *, overwrite: bool
) -> Report:
    """Harmonize one scan to a target, file to file.

    Raises
    ------
    HailError
        If anything about the request is wrong; nothing is left behind then.
    """
    require_possible([request], target_files.read, overwrite=overwrite)
    # Files first: whoever mistyped a name should not wait for the model.
    with importing("torch"):
        scan = read_scan(request)
        target = read_target(target_files)
    return FileHarmonizer(target, settings, overwrite=overwrite).run(scan, request.output)


class FileHarmonizer:
    """A harmonizer for files: one target, one set of choices, any number of scans.

    Parameters
    ----------
    target : Target
    settings : HarmonizeSettings
    overwrite : bool
        Replace results that exist.

    Attributes
    ----------
    target_checks : tuple of Check

    Raises
    ------
    HailError
        If the weights cannot be loaded or the device cannot be used.
    """

    def __init__(self, target: Target, settings: HarmonizeSettings, *, overwrite: bool) -> None:
        from hail_mri.harmonize.harmonizer import Harmonizer
        from hail_mri.model.weights import weights_hash
        from hail_mri.preprocess.cache import default_cache

        start = time.perf_counter()
        self._reference = _load_reference(target.reference_path, settings)
        self._harmonizer = Harmonizer(
            target.example,
            target_mask=target.brain_mask,
            target_lesion_mask=target.lesion_mask,
            model=settings.model,
            device=settings.device,
            threads=settings.threads,
            seed=settings.seed,
            preset=settings.preset,
            reference=None if self._reference is None else self._reference.reference,
            cache=default_cache(),
        )
        self._target = target
        self._settings = settings
        self._overwrite = overwrite
        self._weights_sha256 = weights_hash(settings.model)
        self._setup_seconds = time.perf_counter() - start
        self.target_checks = self._harmonizer.target_checks
        if isinstance(target.example, Volume):
            self.target_checks = (*self.target_checks, check_history(target.file.path))
        require_checked(target.file.path, self.target_checks, force=settings.force)

    def run(self, scan: Scan, output: Path) -> Report:
        """Harmonize one scan, and write the result and its sidecar; a report of a result that it replaces is removed.

        Raises
        ------
        HailError
            If the scan cannot be harmonized, or it or its result fails a check.
        """
        source = self._harmonizer.read(scan.volume, brain_mask=scan.brain_mask, lesion_mask=scan.lesion_mask)
        require_checked(scan.file.path, source.checks, force=self._settings.force)
        harmonized = self._harmonizer.change(
            source,
            strength=self._settings.strength,
            output_mode=self._settings.output_mode,
            keep_bias=self._settings.keep_bias,
        )
        require_checked(f"the result of {scan.file.path}", harmonized.result_checks, force=self._settings.force)
        read_warnings = (*scan.volume.warnings, *getattr(self._target.example, "warnings", ()))
        warnings = tuple(dict.fromkeys((*read_warnings, *harmonized.warnings)))
        checks = {
            "Source": (*source.checks, check_history(scan.file.path)),
            "Target": self.target_checks,
            "Result": harmonized.result_checks,
        }
        provenance = Provenance(
            source=scan.file,
            target=self._target.file,
            settings=self._settings,
            weights_sha256=self._weights_sha256,
            brain_mask=scan.brain_mask_file,
            target_mask=self._target.brain_mask_file,
            lesion_mask=scan.lesion_mask_file,
            target_lesion_mask=self._target.lesion_mask_file,
            reference=None if self._reference is None or self._reference.scan is None else self._reference.scan.file,
            preparation=harmonized.preparation,
            seconds={"setup": self._setup_seconds, "read": scan.seconds, **harmonized.seconds},
            warnings=warnings,
            skull_stripped=_skull_stripped(harmonized.skull_stripped, scan),
            checks=checks,
        )
        save_result(harmonized.volume, output, provenance, overwrite=self._overwrite)
        if self._overwrite:
            from hail_mri.report.report_state import remove_stale_report

            remove_stale_report(output)
        return Report(warnings, checks)


def _skull_stripped(found: bool | None, scan: Scan) -> bool | None:
    """Return whether a scan is skull-stripped, by its brain mask where the model has seen nothing but that."""
    if found is not None or scan.brain_mask is None:
        return found
    return is_stripped(scan.volume, scan.brain_mask)


def _load_reference(path: Path | None, settings: HarmonizeSettings) -> "LoadedReference | None":
    """Return the reference, if there is one."""
    if path is None:
        return None
    from hail_mri.apps.reference import ReferenceFiles, load_reference

    return load_reference(ReferenceFiles(path), threads=settings.threads, force=settings.force)
