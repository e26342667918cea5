"""Which files of a folder are scans to harmonize.

Where names are those of BIDS and any says `_T1w`, only these are taken. Elsewhere every image is, except what its name
says to be no T1-weighted scan: masks, label maps, other contrasts, and all in `derivatives`.
"""

from dataclasses import dataclass
from pathlib import Path

from hail_mri.apps.folder_walk import walk
from hail_mri.errors import InputError
from hail_mri.image.nifti import READABLE_SUFFIXES
from hail_mri.provenance.folder_names import DERIVATIVES
from hail_mri.provenance.links import real_path

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


@dataclass(frozen=True)
class FoundScans:
    """The scans of a folder, and images and links in it that are left out, each with a reason; ordered by path."""

    scans: tuple[Path, ...]
    skipped: tuple[tuple[Path, str], ...]


def find_scans(folder: Path, output_dir: Path) -> FoundScans:
    """Find the T1-weighted scans in a folder and the folders in it; links to folders are followed.

    Parameters
    ----------
    folder : Path
    output_dir : Path
        Images that lie here are results, neither taken nor skipped, and so is everything hidden. A folder that the
        scans lie in themselves is none of results alone, so that it leaves nothing out.

    Raises
    ------
    InputError
        If there is no scan, or a folder cannot be listed.
    """
    results, own = real_path(output_dir), real_path(folder)
    images, skipped = walk(folder, None if own.is_relative_to(results) else results)
    images.sort()
    has_t1w = any(_last_part(path) == T1_WEIGHTED.lower() for path in images if not _reason(path, folder, False))
    reasons = {path: _reason(path, folder, has_t1w) for path in images}
    scans = tuple(path for path, reason in reasons.items() if not reason)
    if not scans:
        found = f"{len(images)} images, but none by its name T1-weighted" if images else "no scans"
        hint = "; ".join(f"{path}: {reason}" for path, reason in skipped[:1])
        raise InputError(f"{folder} has {found}, expected files that end in {', '.join(READABLE_SUFFIXES)}", hint)
    skipped += [(path, reason) for path, reason in reasons.items() if reason]
    return FoundScans(scans, tuple(sorted(skipped)))


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
