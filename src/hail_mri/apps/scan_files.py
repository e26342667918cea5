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
    """Where the target is to be read: a scan, perhaps with its masks, or a style card; and a reference for all."""

    path: Path
    is_style_card: bool
    brain_mask: Path | None = None
    reference: Path | None = None
    lesion_mask: Path | None = None

    @property
    def read(self) -> list[Path]:
        """The files that are read for it."""
        paths = (self.path, self.brain_mask, self.reference, self.lesion_mask)
        return [path for path in paths if path is not None]


@dataclass(frozen=True)
class Scan:
    """A source that was read, and its masks, with the files they came from and the seconds it took."""

    volume: Volume
    file: InputFile
    brain_mask: Volume | None
    brain_mask_file: InputFile | None
    seconds: float
    lesion_mask: Volume | None = None
    lesion_mask_file: InputFile | None = None


@dataclass(frozen=True)
class Target:
    """The target, as a scan or as a style card, its masks, the files they came from, and where a reference is."""

    example: "Volume | StyleCard"
    file: InputFile
    brain_mask: Volume | None = None
    brain_mask_file: InputFile | None = None
    reference_path: Path | None = None
    lesion_mask: Volume | None = None
    lesion_mask_file: InputFile | None = None


def target_files(
    target: Path | None,
    style_card: Path | None,
    target_mask: Path | None,
    reference: Path | None = None,
    *,
    lesion_mask: Path | None = None,
) -> TargetFiles:
    """Return where the target is, from exactly one of a scan and a style card.

    Raises
    ------
    InputError
        If both are given, or none.
    """
    if target is not None and style_card is not None:
        raise InputError("--target and --style are both given, expected one of them")
    path = target if target is not None else style_card
    if path is None:
        raise InputError("neither --target nor --style is given, expected one of them")
    return TargetFiles(path, path is style_card, target_mask, reference, lesion_mask)


def require_no_target_masks(table_path: Path, *masks: Path | None) -> None:
    """Refuse masks of a target where only the rows of a table may name targets.

    Raises
    ------
    InputError
        If there is a mask: whose it is cannot be known.
    """
    found = next((mask for mask in masks if mask is not None), None)
    if found is not None:
        raise InputError(
            f"{found} is given as a mask of the target, but no scan of {table_path} takes its target from --target",
            "leave it away: targets that rows name have no masks",
        )


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
    """Read the source of a request, and its masks; raises as `load_volume`."""
    start = time.perf_counter()
    volume, file = _read_volume(request.source)
    mask, mask_file = _read_mask(request.brain_mask, volume, request.source)
    lesion = _read_mask(request.lesion_mask, volume, request.source, of="the lesion")
    return Scan(volume, file, mask, mask_file, time.perf_counter() - start, *lesion)


def read_target(target_files: TargetFiles) -> Target:
    """Read a target scan, with its masks, or a style card; raises as `load_volume` and `StyleCard.load`."""
    if not target_files.is_style_card:
        volume, file = _read_volume(target_files.path)
        mask = _read_mask(target_files.brain_mask, volume, target_files.path)
        lesion = _read_mask(target_files.lesion_mask, volume, target_files.path, of="the lesion")
        return Target(volume, file, *mask, target_files.reference, *lesion)
    masks = {"--target-mask": target_files.brain_mask, "--target-lesion-mask": target_files.lesion_mask}
    for option, path in masks.items():
        if path is not None:
            raise InputError(f"{option} is given with --style, expected it with --target", "leave it away")
    from hail_mri.harmonize.style_card import StyleCard

    card = StyleCard.load(target_files.path)
    return Target(card, InputFile.read(target_files.path), reference_path=target_files.reference)


def _read_mask(
    path: Path | None, volume: Volume, scan_path: Path, *, of: str = "the brain"
) -> tuple[Volume | None, InputFile | None]:
    """Return a mask of a scan with the hash of its file, if there is one."""
    if path is None:
        return None, None
    return load_mask(path, volume, scan_path, of=of), InputFile.read(path)


def _read_volume(path: Path) -> tuple[Volume, InputFile]:
    """Return a scan with the hash of its file."""
    volume = load_volume(path)
    return volume, InputFile.read(path)
