"""Make a style card from scans, file to file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hail_mri.apps.requests import require_not_read
from hail_mri.apps.scan import require_checked
from hail_mri.errors import InputError
from hail_mri.harmonize.history import check_history
from hail_mri.image.nifti import load_volume
from hail_mri.provenance.free_paths import require_file_free

if TYPE_CHECKING:
    from hail_mri.harmonize.check import Check


def make_style_card(
    targets: Sequence[Path], output: Path, *, model: str, force: bool, overwrite: bool
) -> "list[tuple[Check, ...]]":
    """Write the card of some scans of a site, and return the checks of each.

    Raises
    ------
    HailError
        If anything about the request is wrong, or a scan fails a check; nothing is left behind then.
    """
    if not targets:
        raise InputError("no scan to make a style card of, expected at least one")
    require_not_read(output, [target.resolve() for target in targets])
    require_file_free(output, overwrite=overwrite)
    volumes = [load_volume(target) for target in targets]

    from hail_mri.harmonize.style_card import StyleMeter, mean_card

    meter = StyleMeter(model)
    cards, checks = [], []
    for target, volume in zip(targets, volumes, strict=True):
        card, found = meter.measure(volume)
        require_checked(target, found, force=force)
        cards.append(card)
        checks.append((*found, check_history(target)))
    mean_card(cards).save(output, overwrite=overwrite)
    return checks
