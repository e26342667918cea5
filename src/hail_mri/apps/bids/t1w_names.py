"""Which files of a BIDS data set are T1-weighted scans by their names, and which look like it but are called otherwise.

No file is read. An *entity* is a part of a name, `sub-01` or `acq-mprage`: a key and a label. Names are parsed by
bids2table.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from hail_mri.errors import HailError, UnwritableError
from hail_mri.image.nifti import READABLE_SUFFIXES
from hail_mri.provenance.folder_names import DESCRIPTION
from hail_mri.provenance.sidecar import NIFTI_SUFFIXES

SUFFIX = "T1w"
NAMED = ("datatype", "suffix", "ext")  # what the library tells beside entities
# sub-01/ses-1/anat/x_T1w.nii.gz, and one folder more for what lies too deep; links may lead round in circles.
DEEPEST = 4
_LOOKS_LIKE_IT = tuple(f"_{ending}{suffix}" for ending in ("t1w", "t1") for suffix in READABLE_SUFFIXES)


def find_t1_weighted(root: Path) -> tuple[list[Path], list[Path]]:
    """Find the T1-weighted scans of a data set by their names.

    Parameters
    ----------
    root : Path
        Links below it are followed.

    Returns
    -------
    scans : list of Path
        From the root, ordered; in a folder `anat`, and called as BIDS has it.
    others : list of Path
        What looks like a T1-weighted scan, but has another name, lies elsewhere, or is of another format.

    Notes
    -----
    The library indexes a folder with the same names and nothing in them: a name that it cannot take (one that is no
    UTF-8) costs no other scan, and the name of the data set, in which it wants no dots, does not matter.
    """
    found = sorted(path.relative_to(root) for subject in root.glob("sub-*") for path in _looking_like_it(subject, 1))
    scans = set(_indexed(path for path in found if _is_utf8(path)))
    return [path for path in found if path in scans], [path for path in found if path not in scans]


def entities_of(path: str | Path) -> dict[str, str]:
    """Return the entities of a name, with the label of each.

    Examples
    --------
    >>> entities_of("sub-01/ses-A/anat/sub-01_ses-A_acq-mprage_T1w.nii.gz")
    {'sub': '01', 'ses': 'A', 'acq': 'mprage'}
    """
    parsed = _library().parse_bids_entities(str(path))
    return {key: label for key, label in parsed.items() if key not in NAMED}


def _looking_like_it(folder: Path, depth: int) -> Iterator[Path]:
    """Yield what looks like a T1-weighted scan by its name, below the folder of a subject; hidden things do not."""
    entries: list[Path] = []
    with suppress(OSError):  # no folder, or one that may not be looked into
        entries = [folder / entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    for path in entries:
        if path.name.lower().endswith(_LOOKS_LIKE_IT):
            yield path
        elif depth < DEEPEST and os.path.isdir(path):  # noqa: PTH112  (a link to itself is no error)
            yield from _looking_like_it(path, depth + 1)


def _indexed(paths: Iterable[Path]) -> list[Path]:
    """Return which names are those of T1-weighted scans, by the library."""
    library = _library()
    with _empty_files(paths) as names:
        rows = library.index_dataset(names).select(["suffix", "ext", "datatype", "path"]).to_pylist()
    wanted = {"suffix": SUFFIX, "datatype": "anat"}
    return [Path(row["path"]) for row in rows if row["ext"] in NIFTI_SUFFIXES and wanted.items() <= row.items()]


@contextmanager
def _empty_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Make a data set of empty files, among temporary ones."""
    with ExitStack() as stack:
        try:
            names = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bids")), "dataset")
            names.mkdir()
            (names / DESCRIPTION).touch()
            for path in paths:
                (names / path.parent).mkdir(parents=True, exist_ok=True)
                (names / path).touch()
        except OSError as error:
            message = f"no folder for temporary files can be written to ({error})"
            raise UnwritableError(message, "set TMPDIR to a folder with free space") from error
        yield names


def _is_utf8(path: Path) -> bool:
    """Return whether a name is UTF-8, as BIDS and Arrow want it."""
    return os.fsencode(path).decode(errors="replace") == str(path)


def _library() -> Any:
    """Return bids2table, which is installed only by whoever wants it."""
    try:
        import bids2table
    except ImportError as error:
        raise HailError("bids2table is not installed", "install hail-mri[bids]") from error
    return bids2table
