"""Styles of scans, measured, or read where an earlier run has kept them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import get_args

from hail_mri import __version__
from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.scan_files import read_scan
from hail_mri.harmonize.check import Check, Verdict
from hail_mri.harmonize.limits import LIMITS
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.harmonize.style_card import StyleCard, StyleMeter
from hail_mri.model.weights import weights_hash
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.hashes import InputFile

MeasuredStyle = tuple[StyleCard, tuple[Check, ...]]


@dataclass(frozen=True)
class MaskedScan:
    """A scan whose style is wanted, and its masks by the names that requests have for them."""

    path: Path
    masks: Mapping[str, Path] = field(default_factory=dict, hash=False)


class KeptStyles:
    """Measures styles, and keeps them by the hashes of scan, masks, weights, and how they are judged.

    Parameters
    ----------
    settings : HarmonizeSettings
        Of which model and threads matter.
    folder : Path or None
        Where styles are kept; None keeps nothing.
    """

    def __init__(self, settings: HarmonizeSettings, folder: Path | None) -> None:
        self._settings = settings
        self._folder = folder
        self._weights = weights_hash(settings.model)
        self._meter: StyleMeter | None = None

    def kept(self, scan: MaskedScan) -> MeasuredStyle | None:
        """Return the style of a scan and its checks, if they were kept.

        Raises
        ------
        HailError
            If a file cannot be read.
        """
        if self._folder is None:
            return None
        masks = {name: InputFile.read(path).sha256 for name, path in scan.masks.items()}
        card_path, checks_path = self._paths(self._folder, InputFile.read(scan.path).sha256, masks)
        try:
            checks = tuple(Check(**entries) for entries in json.loads(checks_path.read_text(encoding="utf-8")))
            card = StyleCard.load(card_path)
        except (OSError, ValueError, TypeError, RecursionError):  # not there, or not as we write it
            return None
        # Every scan is checked: one of which no check is known might fail.
        known = all(check.verdict in get_args(Verdict) for check in checks)
        return (card, checks) if checks and known else None

    def measure(self, scan: MaskedScan) -> MeasuredStyle:
        """Measure the style of a scan, check it, and keep both.

        Raises
        ------
        HailError
            If a file cannot be read, is no mask of the scan, or what is kept cannot be written.
        """
        read = read_scan(ScanRequest(scan.path, scan.path, **scan.masks, label=str(scan.path)))
        if self._meter is None:
            self._meter = StyleMeter(self._settings.model, threads=self._settings.threads)
        card, checks = self._meter.measure(read.volume, brain_mask=read.brain_mask, lesion_mask=read.lesion_mask)
        if self._folder is not None:
            # Of what was read: a file may have been replaced while it was measured.
            masks = {"brain_mask": read.brain_mask_file, "lesion_mask": read.lesion_mask_file}
            hashes = {name: file.sha256 for name, file in masks.items() if file is not None}
            card_path, checks_path = self._paths(self._folder, read.file.sha256, hashes)
            text = json.dumps([asdict(check) for check in checks])
            write_together([checks_path], lambda hidden: hidden[checks_path].write_text(text, encoding="utf-8"))
            card.save(card_path, overwrite=True)
        return card, checks

    def _paths(self, folder: Path, scan_sha256: str, masks_sha256: Mapping[str, str]) -> tuple[Path, Path]:
        """Return where the style of a scan is kept, and where its checks are."""
        judgement = _judgement(self._settings, dict(sorted(masks_sha256.items())))
        start = f"{scan_sha256[:32]}-{self._weights[:16]}-{judgement[:16]}"
        return folder / f"{start}.style.json", folder / f"{start}.checks.json"


def _judgement(settings: HarmonizeSettings, masks: Mapping[str, str]) -> str:
    """Return a hash of what decides, beside scan and weights, what is measured and said of a scan."""
    others = (masks,) if masks else ()
    return sha256(repr((__version__, settings.threads, LIMITS, *others)).encode()).hexdigest()
