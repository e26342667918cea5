"""What `hail-mri style` is asked for: a card from scans, a picture of a card, or which scan is the best example."""

from collections.abc import Sequence
from pathlib import Path

from hail_mri.apps.scan_folder import find_scans
from hail_mri.errors import InputError, MissingFileError

CARD_SUFFIX = ".json"


def is_card(targets: Sequence[Path]) -> bool:
    """Return whether what is given is a style card, not scans."""
    return len(targets) == 1 and targets[0].name.lower().endswith(CARD_SUFFIX)


def scans_of(targets: Sequence[Path], output: Path | None) -> list[Path]:
    """Return scans, those in folders among them.

    Parameters
    ----------
    targets : sequence of Path
        Scans and folders.
    output : Path or None
        What lies there is no scan.

    Raises
    ------
    InputError
        If a folder has no scans.
    """
    nowhere = Path("/nonexistent") if output is None else output
    return [
        scan for target in targets for scan in (find_scans(target, nowhere).scans if target.is_dir() else (target,))
    ]


def preview_card(card_path: Path, preview: Path, *, overwrite: bool) -> None:
    """Write a picture of a style card.

    Raises
    ------
    HailError
        If it is no style card of tissues, or the picture cannot be written.
    """
    if preview.suffix.lower() != ".png":
        raise InputError(f"--preview is {preview}, expected a name that ends in .png")
    if not card_path.exists():
        raise MissingFileError(f"{card_path} does not exist, expected a style card")
    from hail_mri.harmonize.style_card import StyleCard
    from hail_mri.report.card_preview import card_preview

    card_preview(StyleCard.load(card_path), preview, title=card_path.name.split(".")[0], overwrite=overwrite)
