"""The one way in which anything is written: in full under a hidden name beside its place, then renamed.

So files appear together or not at all, what was there before stays until then, and nothing half-written is left.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from hail_mri.errors import HailError, UnwritableError

TAIL = 20  # letters at the end of a name, which hold its suffix
HIDDEN_NAME = re.compile(r"\.[0-9a-f]{32}\.(?P<tail>.+?)(\.kept)?", re.DOTALL)  # until files have their own names


def write_together(paths: Sequence[Path], write: Callable[[Mapping[Path, Path]], object]) -> None:
    """Write several files, all or none.

    Parameters
    ----------
    paths : sequence of Path
        Folders that are missing are made.
    write : callable
        Writes all files; it is given the hidden name under which each of the paths is to be written.

    Raises
    ------
    UnwritableError
        If a file cannot be written or named; files that were there before stay as they were.

    Notes
    -----
    All are written in full under hidden names and then renamed, the first one last: whoever sees it sees the others.
    """
    folders = {folder for path in paths for folder in (path.parent, *path.parent.parents)}
    made = sorted((f for f in folders if not f.exists()), key=lambda folder: len(folder.parts), reverse=True)
    # A number of its own for each: processes of two machines, or containers, may share a folder. The end of the name
    # tells how to write the file; all of it would make a name too long of one that just fits.
    hidden = {path: path.with_name(f".{uuid4().hex}.{path.name[-TAIL:]}") for path in paths}
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        write(hidden)
        for name in hidden.values():
            _flush(name)
        _rename_all({hidden[path]: path for path in reversed(paths)})
    except BaseException as error:
        _tidy(tuple(hidden.values()), made)
        if isinstance(error, UnwritableError):
            raise UnwritableError(_in_final_names(error.message, hidden), error.hint) from error
        if isinstance(error, OSError) and not isinstance(error, HailError):
            message = f"{_named(error, hidden) or paths[0]} could not be written ({error.strerror or error})"
            raise UnwritableError(message, "check free space and permissions") from error
        raise


@contextmanager
def write_folder(folder: Path) -> Iterator[Path]:
    """
    Fill a folder, all or nothing.

    Parameters
    ----------
    folder : Path
        What is there already is replaced.

    Yields
    ------
    hidden : Path
        The folder to fill, empty; it gets its name when the `with` block ends without an error.

    Raises
    ------
    UnwritableError
        If anything cannot be written; the folder that was there before stays as it was.
    """
    place = Path(os.path.realpath(folder))  # of a link, what it leads to
    hidden = place.with_name(f".{uuid4().hex}.{place.name[-TAIL:]}")
    made = [parent for parent in place.parents if not parent.exists()]
    try:
        hidden.mkdir(parents=True)
        yield hidden
        _replace_folder(hidden, place)
    except BaseException as error:
        shutil.rmtree(hidden, ignore_errors=True)
        _tidy((), made)
        if isinstance(error, OSError) and not isinstance(error, HailError):
            message = f"{folder} could not be written ({error.strerror or error})"
            raise UnwritableError(message, "check free space and permissions") from error
        raise


def _replace_folder(hidden: Path, place: Path) -> None:
    """Give a finished folder its name; an older one goes only once the new one is there."""
    previous = hidden.with_name(f"{hidden.name}.old")
    try:
        if place.exists():
            place.replace(previous)
        hidden.replace(place)
    except BaseException:
        if previous.exists():
            previous.replace(place)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _flush(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _in_final_names(message: str, hidden: Mapping[Path, Path]) -> str:
    """Return a message about hidden files as one about the files they are to become."""
    for path, name in hidden.items():
        message = message.replace(str(name), str(path))
    return message


def _named(error: OSError, hidden: Mapping[Path, Path]) -> Path | None:
    """Return which of the files an error is about."""
    return next((path for path, name in hidden.items() if error.filename in (str(path), str(name))), None)


def _rename_all(names: Mapping[Path, Path]) -> None:
    """Give hidden files their names; when one cannot have it, what was there before gets its own back."""
    folder = next((path for path in names.values() if path.is_dir() and not path.is_symlink()), None)
    if folder is not None:  # it would be moved out of the way like a file
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder))
    kept = {path: hidden.with_name(f"{hidden.name}.kept") for hidden, path in names.items() if os.path.lexists(path)}
    held: list[Path] = []
    renamed: list[Path] = []
    try:
        for hidden, path in names.items():
            if path in kept:
                _hold(path, kept[path])
                held.append(path)
            hidden.replace(path)
            renamed.append(path)
    except BaseException:
        for path in renamed:
            if path not in held:
                path.unlink()
        for path in held:
            if path in renamed or not os.path.lexists(path):
                kept[path].replace(path)
            else:
                kept[path].unlink()
        raise
    for path in held:
        kept[path].unlink()


def _hold(path: Path, name: Path) -> None:
    """Give a file a second name; where a file system has no such thing, another name."""
    try:
        os.link(path, name, follow_symlinks=False)
    except OSError:
        path.replace(name)


def _tidy(files: tuple[Path, ...], folders: list[Path]) -> None:
    """Remove files, and folders (innermost first) that nobody else has put anything in."""
    for file in files:
        with suppress(OSError):
            file.unlink(missing_ok=True)
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
