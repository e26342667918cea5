"""One scan from file to file: read, harmonize, write with its sidecar."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from hail_mri.apps.requests import ScanRequest, require_possible
from hail_mri.errors import InputError
from hail_mri.harmonize.check import Check, failures
from hail_mri.harmonize.history import check_history
from hail_mri.harmonize.result import Provenance, save_result
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.image.mask import load_mask
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume
from hail_mri.provenance.hashes import InputFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hail_mri.apps.reference import LoadedReference
    from hail_mri.harmonize.style_card import StyleCard


@dataclass(frozen=True)
class TargetFiles:
    """Where the target is to be read: a scan, perhaps with its brain mask, or a style card; and a reference for all."""

    path: Path
    is_style_card: bool
    brain_mask: Path | None = None
    reference: Path | None = None

    @property
    def read(self) -> list[Path]:
        """The files that are read for it."""
        return [path for path in (self.path, self.brain_mask, self.reference) if path is not None]


@dataclass(frozen=True)
class Scan:
    """A source that was read, and its brain mask, with the files they came from and the seconds it took."""

    volume: Volume
    file: InputFile
    brain_mask: Volume | None
    brain_mask_file: InputFile | None
    seconds: float


@dataclass(frozen=True)
class Target:
    """The target, as a scan or as a style card, its brain mask, the files they came from, and where a reference is."""

    example: "Volume | StyleCard"
    file: InputFile
    brain_mask: Volume | None = None
    brain_mask_file: InputFile | None = None
    reference_path: Path | None = None


@dataclass(frozen=True)
class Report:
    """What is to be said of a scan that was harmonized.

    Attributes
    ----------
    warnings : tuple of str
    checks : dict of str to tuple of Check
        Of the source and of the target.
    """

    warnings: tuple[str, ...]
    checks: "dict[str, tuple[Check, ...]]"


def target_files(
    target: Path | None, style_card: Path | None, target_mask: Path | None, reference: Path | None = None
) -> TargetFiles:
    """Return where the target is, from exactly one of a scan and a style card.

    Raises
    ------
    InputError
        If both are given, or none.
    """
    if target is not None and style_card is not None:
        raise InputError("--target and --style are both given, expected one of them")
    if target is not None:
        return TargetFiles(target, is_style_card=False, brain_mask=target_mask, reference=reference)
    if style_card is not None:
        return TargetFiles(style_card, is_style_card=True, brain_mask=target_mask, reference=reference)
    raise InputError("neither --target nor --style is given, expected one of them")


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


@contextmanager
def importing(module: str) -> Iterator[None]:
    """Import a module that will be needed while something else is done: reading files leaves a core idle."""
    thread = Thread(target=import_module, args=(module,))
    thread.start()
    try:
        yield
    finally:
        thread.join()


def read_scan(request: ScanRequest) -> Scan:
    """Read the source of a request, and its brain mask; raises as `load_volume`."""
    start = time.perf_counter()
    volume, file = _read_volume(request.source)
    mask, mask_file = _read_mask(request.brain_mask, volume, request.source)
    return Scan(volume, file, mask, mask_file, time.perf_counter() - start)


def read_target(target_files: TargetFiles) -> Target:
    """Read a target scan, with its mask, or a style card; raises as `load_volume` and `StyleCard.load`."""
    if not target_files.is_style_card:
        volume, file = _read_volume(target_files.path)
        mask = _read_mask(target_files.brain_mask, volume, target_files.path)
        return Target(volume, file, *mask, target_files.reference)
    if target_files.brain_mask is not None:
        raise InputError("--target-mask is given with --style, expected it with --target", "leave it away")
    from hail_mri.harmonize.style_card import StyleCard

    card = StyleCard.load(target_files.path)
    return Target(card, InputFile.read(target_files.path), reference_path=target_files.reference)


def require_checked(path: Path, checks: "Sequence[Check]", *, force: bool) -> None:
    """Refuse a scan that fails a check, unless that is wanted.

    Raises
    ------
    InputError
        With all that failed.
    """
    failed = failures(checks)
    if failed and not force:
        found = "; ".join(
            f"{check.name} is {check.found}, expected {check.expected} ({check.hint})" for check in failed
        )
        raise InputError(f"{path} fails {len(failed)} of {len(checks)} checks: {found}", "give --force to go on")


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
        """Harmonize one scan, and write the result and its sidecar.

        Raises
        ------
        HailError
            If the scan cannot be harmonized, or fails a check.
        """
        source = self._harmonizer.read(scan.volume, brain_mask=scan.brain_mask)
        require_checked(scan.file.path, source.checks, force=self._settings.force)
        harmonized = self._harmonizer.change(
            source,
            strength=self._settings.strength,
            output_mode=self._settings.output_mode,
            keep_bias=self._settings.keep_bias,
        )
        read_warnings = (*scan.volume.warnings, *getattr(self._target.example, "warnings", ()))
        warnings = tuple(dict.fromkeys((*read_warnings, *harmonized.warnings)))
        checks = {"Source": (*source.checks, check_history(scan.file.path)), "Target": self.target_checks}
        provenance = Provenance(
            source=scan.file,
            target=self._target.file,
            settings=self._settings,
            weights_sha256=self._weights_sha256,
            brain_mask=scan.brain_mask_file,
            target_mask=self._target.brain_mask_file,
            reference=None if self._reference is None or self._reference.scan is None else self._reference.scan.file,
            preparation=harmonized.preparation,
            seconds={"setup": self._setup_seconds, "read": scan.seconds, **harmonized.seconds},
            warnings=warnings,
            skull_stripped=harmonized.skull_stripped,
            checks=checks,
        )
        save_result(harmonized.volume, output, provenance, overwrite=self._overwrite)
        return Report(warnings, checks)


def _load_reference(path: Path | None, settings: HarmonizeSettings) -> "LoadedReference | None":
    """Return the reference, if there is one."""
    if path is None:
        return None
    from hail_mri.apps.reference import ReferenceFiles, load_reference

    return load_reference(ReferenceFiles(path), threads=settings.threads, force=settings.force)


def _read_mask(path: Path | None, volume: Volume, scan_path: Path) -> tuple[Volume | None, InputFile | None]:
    """Return the brain mask of a scan with the hash of its file, if there is one."""
    if path is None:
        return None, None
    return load_mask(path, volume, scan_path), InputFile.read(path)


def _read_volume(path: Path) -> tuple[Volume, InputFile]:
    """Return a scan with the hash of its file."""
    volume = load_volume(path)
    return volume, InputFile.read(path)
