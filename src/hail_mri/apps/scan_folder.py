"""Which files of a folder are scans to harmonize.

Where names are those of BIDS and any says `_T1w`, only these are taken. Elsewhere every image is, except what its name
says to be no T1-weighted scan: masks, label maps, other contrasts, and all in `derivatives`.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.image.nifti import READABLE_SUFFIXES

T1_WEIGHTED = "T1w"
# The last part of a name, after the last underscore: other contrasts of BIDS, and what is no scan at all.
OTHERS = frozenset(
    (
        "T2w FLAIR PDw T2starw PDT2 T1map T2map bold sbref dwi epi asl m0scan angio phase phasediff magnitude "
        "magnitude1 magnitude2 fieldmap mask brainmask dseg probseg seg label labels lesion roi warp xfm"
    )
    .lower()
    .split()
)
DERIVATIVES = "derivatives"


@dataclass(frozen=True)
class FoundScans:
    """The scans of a folder, ordered by path, and the images in it that are none, each with a reason."""

    scans: tuple[Path, ...]
    skipped: tuple[tuple[Path, str], ...]


def find_scans(folder: Path, output_dir: Path) -> FoundScans:
    """Find the T1-weighted scans in a folder and the folders in it.

    Parameters
    ----------
    folder : Path
    output_dir : Path
        Images that lie here are results, neither taken nor skipped, and so is everything hidden.

    Raises
    ------
    InputError
        If there is no scan, or a folder cannot be listed.
    """
    results = output_dir.absolute()
    # Results beside the sources: then the folder does not tell one from the other.
    keep_all = results == folder.absolute()
    images = [path for path in sorted(_walk(folder)) if keep_all or results not in path.absolute().parents]
    has_t1w = any(_last_part(path) == T1_WEIGHTED.lower() for path in images if not _reason(path, folder, False))
    reasons = {path: _reason(path, folder, has_t1w) for path in images}
    scans = tuple(path for path, reason in reasons.items() if not reason)
    if not scans:
        found = f"{len(images)} images, but none by its name T1-weighted" if images else "no scans"
        raise InputError(f"{folder} has {found}, expected files that end in {', '.join(READABLE_SUFFIXES)}")
    return FoundScans(scans, tuple((path, reason) for path, reason in reasons.items() if reason))


def result_name(scan: Path) -> Path:
    """Return the result's path for a scan's path: `sub-01/t1.mgz` becomes `sub-01/t1.nii.gz`."""
    return scan.with_name(f"{_stem(scan)}.nii.gz")


def _reason(path: Path, folder: Path, has_t1w: bool) -> str:
    """Return why an image is not taken; nothing if it is."""
    if DERIVATIVES in path.relative_to(folder).parts[:-1]:
        return f"it lies in {DERIVATIVES}"
    last = _last_part(path)
    if last in OTHERS:
        return f"its name ends in {last}"
    if has_t1w and last != T1_WEIGHTED.lower():
        return f"its name does not end in {T1_WEIGHTED}, as those of others do"
    return ""


def _last_part(path: Path) -> str:
    """Return what follows the last underscore (or dash, or dot) of a name, in lower case."""
    return _stem(path).replace("-", "_").replace(".", "_").rpartition("_")[2].lower()


def _stem(path: Path) -> str:
    """Return the name of an image without its suffix."""
    suffix = next(suffix for suffix in READABLE_SUFFIXES if path.name.lower().endswith(suffix))
    return path.name[: -len(suffix)]


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the scans below a folder without hidden files, such as the `._*.nii.gz` that macOS leaves behind."""
    for parent, folders, names in os.walk(folder, onerror=_refuse_folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(READABLE_SUFFIXES) and not name.startswith("."):
                yield Path(parent, name)


def _refuse_folder(error: OSError) -> None:
    """Say which folder cannot be listed; skipping it would lose scans without a word."""
    raise InputError(f"{error.filename} is a folder that cannot be listed ({error.strerror})") from error
