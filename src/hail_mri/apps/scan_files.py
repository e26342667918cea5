"""Scans, masks, style cards and targets from their files, each with its hash, before any model is there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from hail_mri.apps.requests import ScanRequest
from hail_mri.errors import InputError
from hail_mri.image.mask import load_mask
from hail_mri.image.nifti import load_volume
from hail_mri.image.volume import Volume
from hail_mri.provenance.hashes import InputFile

if TYPE_CHECKING:
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


def _read_mask(path: Path | None, volume: Volume, scan_path: Path) -> tuple[Volume | None, InputFile | None]:
    """Return the brain mask of a scan with the hash of its file, if there is one."""
    if path is None:
        return None, None
    return load_mask(path, volume, scan_path), InputFile.read(path)


def _read_volume(path: Path) -> tuple[Volume, InputFile]:
    """Return a scan with the hash of its file."""
    volume = load_volume(path)
    return volume, InputFile.read(path)
