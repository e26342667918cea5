"""Make a style card from scans, file to file."""

from collections.abc import Sequence
from pathlib import Path

from hail_mri.apps.requests import ScanRequest, own_sidecar, require_not_read
from hail_mri.apps.scan import Report
from hail_mri.apps.scan_files import Scan, read_scan
from hail_mri.errors import InputError
from hail_mri.harmonize.check import require_checked
from hail_mri.harmonize.history import check_history
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.links import real_path


def make_style_card(
    targets: Sequence[Path],
    output: Path,
    settings: HarmonizeSettings,
    *,
    brain_masks: Sequence[Path] = (),
    overwrite: bool,
) -> list[Report]:
    """Write the card of some scans of a site, and return what is to be said of each.

    Parameters
    ----------
    targets : sequence of Path
        Each scan once.
    output : Path
    settings : HarmonizeSettings
        Of which model, threads and force matter.
    brain_masks : sequence of Path
        One for each target, in their order; or none.
    overwrite : bool

    Raises
    ------
    HailError
        If anything about the request is wrong, or a scan fails a check; nothing is left behind then.
    """
    if not targets:
        raise InputError("no scan to make a style card of, expected at least one")
    if brain_masks and len(brain_masks) != len(targets):
        raise InputError(
            f"there are {len(brain_masks)} brain masks for {len(targets)} scans, expected one for each, or none",
            "give --brain-mask once for each scan, in the same order",
        )
    read = [*targets, *brain_masks]
    # A scan's own sidecar holds how it was acquired, and is JSON as a card is.
    read += [sidecar for sidecar in map(own_sidecar, (*read, *map(real_path, read))) if sidecar is not None]
    require_not_read(output, [real_path(path) for path in read])
    require_file_free(output, overwrite=overwrite)
    masks: Sequence[Path | None] = brain_masks or [None] * len(targets)
    scans = [
        read_scan(ScanRequest(target, output, mask, label=str(target)))
        for target, mask in zip(targets, masks, strict=True)
    ]
    _require_each_once(scans)

    from hail_mri.harmonize.style_card import StyleMeter, mean_card

    meter = StyleMeter(settings.model, threads=settings.threads)
    cards, reports = [], []
    for scan in scans:
        card, found = meter.measure(scan.volume, brain_mask=scan.brain_mask)
        require_checked(scan.file.path, found, force=settings.force)
        cards.append(card)
        checks = (*found, check_history(scan.file.path))
        reports.append(Report(tuple(scan.volume.warnings), {"Target": checks}))
    mean_card(cards).save(output, overwrite=overwrite)
    return reports


def _require_each_once(scans: Sequence[Scan]) -> None:
    """Refuse a scan that is given twice, be it by another name: it would count twice."""
    known: dict[str, Path] = {}
    for scan in scans:
        path, other = scan.file.path, known.get(scan.file.sha256)
        if other is not None:
            also = "" if other == path else f" (the other time as {other})"
            raise InputError(f"{path} is given twice{also}, expected each scan once", "leave one away")
        known[scan.file.sha256] = path
