"""Whether something may be written where it is wanted: asked before anything is computed."""

import os
from pathlib import Path

from hail_mri.errors import InputError, OutputExistsError, UnwritableError


def require_file_free(path: Path, *, overwrite: bool) -> None:
    """Make sure that one file may be written.

    Raises
    ------
    InputError
        If the path is a folder.
    OutputExistsError
        If it exists and `overwrite` is False.
    UnwritableError
        If its folder cannot be made or written to.
    """
    try:
        is_folder = path.is_dir()
    except OSError as error:  # a name that is too long
        reason = error.strerror or error
        raise UnwritableError(f"{path} could not be written ({reason})", "choose another name") from error
    if is_folder:
        raise InputError(f"{path} is a folder, expected the name of a file to write", "add a file name to it")
    if os.path.lexists(path) and not overwrite:
        raise OutputExistsError(f"{path} exists, expected a new name", "choose another name or ask to --overwrite it")
    require_writable_folder(path.parent, output=path)


def require_folder_free(folder: Path, *, overwrite: bool) -> None:
    """Make sure that a folder may be filled; raises as `require_file_free`, and if it has something in it."""
    try:
        is_filled = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        reason = error.strerror or error
        raise UnwritableError(f"{folder} could not be written ({reason})", "choose another folder") from error
    if is_filled and not overwrite:
        raise OutputExistsError(f"{folder} is not empty, expected a new folder", "choose another or ask to --overwrite")
    require_writable_folder(folder)


def require_folder(folder: Path) -> None:
    """Make sure that a folder is there.

    Raises
    ------
    UnwritableError
        If it is not.
    """
    if not folder.is_dir():
        raise UnwritableError(f"the folder {folder} does not exist", "make it first")


def require_writable_folder(folder: Path, *, output: Path | None = None) -> None:
    """Make sure, without making it, that a folder can be written to or made.

    Parameters
    ----------
    folder : Path
    output : Path, optional
        What is to be written there, for the message; the folder itself without it.

    Raises
    ------
    UnwritableError
        If it cannot.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    output = folder if output is None else output
    if not existing.is_dir():
        raise UnwritableError(f"{output} cannot be written: {existing} is not a folder", "write somewhere else")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UnwritableError(
            f"{output} cannot be written: you may not write to the folder {existing}", "write somewhere else"
        )
