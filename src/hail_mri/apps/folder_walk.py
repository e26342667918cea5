"""All images below a folder, links to folders followed, each folder once.

Cohorts are often put together of links to the subjects' folders, and links may lead round in a circle.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.image.nifti import READABLE_SUFFIXES
from hail_mri.provenance.links import real_path

Skipped = tuple[Path, str]  # and why


def walk(folder: Path, results: Path | None) -> tuple[list[Path], list[Skipped]]:
    """Find the images below a folder.

    Parameters
    ----------
    folder : Path
    results : Path or None
        Folder that is left out without a word, links resolved; links to it are named.

    Returns
    -------
    images : list of Path
        Without hidden files, such as the `._*.nii.gz` that macOS leaves behind.
    skipped : list of (Path, str)
        Links to folders that are not followed, each with the reason.

    Raises
    ------
    InputError
        If a folder cannot be listed.
    """
    images: list[Path] = []
    skipped: list[Skipped] = []
    walked: dict[Path, Path] = {}  # by the folder's own path: where it was found
    roots = [folder]  # grows by the links that are found
    # What lies in the folder itself comes first: that is the place it is known by.
    for root in roots:
        if results is not None and real_path(root).is_relative_to(results):
            skipped.append((root, "it leads to the folder of the results"))
            continue
        for parent, folders, names in _folders_below(root):
            own = real_path(parent)
            if own in walked or own == results:
                folders.clear()
                if own in walked:
                    skipped.append((parent, f"it is the folder {walked[own]}, which is taken already"))
                continue
            walked[own] = parent
            roots += [parent / name for name in folders if (parent / name).is_symlink()]
            folders[:] = [name for name in folders if not (parent / name).is_symlink()]
            images += [parent / name for name in names if name.lower().endswith(READABLE_SUFFIXES)]
            skipped += [(parent / name, "it is a link that leads nowhere") for name in names if _is_lost(parent / name)]
    return images, skipped


def _folders_below(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield folders with the names in them, sorted and none hidden; folders that are removed there are not entered."""
    for parent, folders, names in os.walk(root, onerror=_refuse_folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(parent), folders, sorted(name for name in names if not name.startswith("."))


def _is_lost(path: Path) -> bool:
    """Return whether a path may be a link to a folder that is not there; files have a suffix."""
    return not path.suffix and path.is_symlink() and not path.exists()


def _refuse_folder(error: OSError) -> None:
    """Say which folder cannot be listed; skipping it would lose scans without a word."""
    raise InputError(f"{error.filename} is a folder that cannot be listed ({error.strerror})") from error
