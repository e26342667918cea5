"""Where the paths of a table may lead: results lie in the table's folder, links followed; scans may lie anywhere.

A table is text that anybody may have changed, and a report is passed on: a path that leads out of the folder would put
somebody else's file into it.
"""

from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.image.nifti import READABLE_SUFFIXES
from hail_mri.provenance.links import real_path
from hail_mri.provenance.regular_file import size_of_file


def place_inside(folder: Path, cell: str) -> Path:
    """Return the path that a cell names within a folder; nothing is read.

    Parameters
    ----------
    folder : Path
        The table's own.
    cell : str
        Relative to the folder, with slashes.

    Raises
    ------
    InputError
        If it is absolute, or leads out of the folder by `..` or by a link.

    Examples
    --------
    >>> place_inside(Path("/data/out"), "site/a.nii.gz").as_posix()
    '/data/out/site/a.nii.gz'
    """
    path = _path(folder, cell)
    if Path(cell).is_absolute() or real_path(folder) not in real_path(path).parents:
        raise InputError(f"{cell} leads out of the folder of the table, and is not read")
    return path


def file_inside(folder: Path, cell: str, *, suffixes: tuple[str, ...]) -> Path:
    """Return the path that a cell names within a folder, of a regular file whose name ends as it should.

    Raises
    ------
    MissingFileError
        If there is none.
    InputError
        As `place_inside`, and if it is no regular file, or has another kind of name.
    """
    path = place_inside(folder, cell)
    _require_kind(path, suffixes)
    return path


def scan_file(folder: Path, cell: str) -> Path:
    """Return the path of a scan that was read; it may lie anywhere.

    Raises
    ------
    MissingFileError
        If there is none.
    InputError
        If it is no regular file (a pipe or a device may never end), or no scan by its name.
    """
    path = _path(folder, cell)
    _require_kind(path, READABLE_SUFFIXES)
    return path


def _path(folder: Path, cell: str) -> Path:
    """Join a folder and a cell; a zero byte ends a name for the system, but not for Python."""
    if not cell or "\0" in cell:
        raise InputError("there is no path" if not cell else "the path has a zero byte")
    return folder / cell


def _require_kind(path: Path, suffixes: tuple[str, ...]) -> None:
    """Refuse what is no regular file, and names that end otherwise."""
    size_of_file(path, expected="one file")
    if not path.name.lower().endswith(suffixes):
        raise InputError(f"{path} is called otherwise than expected ({', '.join(suffixes)}), and is not read")
