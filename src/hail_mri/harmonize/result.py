"""A result is two files, the scan and its JSON sidecar, which appear together or not at all."""

import errno
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from hail_mri.errors import HailError, InputError, OutputExistsError, UnwritableError
from hail_mri.harmonize.sidecar import Provenance, describe, file_sha256, sidecar_path, write_json
from hail_mri.image.nifti import save_volume
from hail_mri.image.volume import Volume

TAIL = 20  # letters at the end of a name, which hold its suffix


def require_free(result_path: Path, *, overwrite: bool) -> None:
    """Make sure, before anything is computed, that a result and its sidecar may be written.

    Raises
    ------
    InputError
        If the path is a folder, or its name does not end in .nii.gz or .nii.
    OutputExistsError
        If the result or its sidecar exists and `overwrite` is False.
    UnwritableError
        If the folder cannot be made or written to.
    """
    require_file_free(result_path, overwrite=overwrite)
    require_file_free(sidecar_path(result_path), overwrite=overwrite)


def require_file_free(path: Path, *, overwrite: bool) -> None:
    """Make sure that one file may be written; raises as `require_free`."""
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected the name of a file to write", "add a file name to it")
    if os.path.lexists(path) and not overwrite:
        raise OutputExistsError(f"{path} exists, expected a new name", "choose another name or ask to --overwrite it")
    require_writable_folder(path.parent, output=path)


def require_folder_free(folder: Path, *, overwrite: bool) -> None:
    """Make sure that a folder may be filled; raises as `require_free`, also when it has something in it already."""
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputExistsError(f"{folder} is not empty, expected a new folder", "choose another or ask to --overwrite")
    require_writable_folder(folder)


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


def save_result(volume: Volume, result_path: Path, provenance: Provenance, *, overwrite: bool = False) -> None:
    """Write a harmonized scan and its sidecar, both or neither.

    Parameters
    ----------
    volume : Volume
        In the target's intensity units, on the source's grid.
    result_path : Path
        Ends in .nii.gz or .nii; folders that are missing are made.
    provenance : Provenance
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    InputError, OutputExistsError, UnwritableError
        As `require_free`; UnwritableError also when the disk is full.

    Notes
    -----
    Both are written in full under hidden names in the same folder and renamed, the sidecar first: whoever sees a result
    sees its sidecar.
    """
    require_free(result_path, overwrite=overwrite)
    final_sidecar = sidecar_path(result_path)

    def write(hidden: Mapping[Path, Path]) -> None:
        start = time.perf_counter()
        save_volume(volume, hidden[result_path], overwrite=True)
        seconds = {**provenance.seconds, "write": time.perf_counter() - start}
        sha256 = file_sha256(hidden[result_path])
        record = describe(replace(provenance, seconds=seconds), result_path, result_sha256=sha256)
        write_json(record, hidden[final_sidecar])

    write_together([result_path, final_sidecar], write)


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
        _rename_all({hidden[path]: path for path in reversed(paths)})
    except BaseException as error:
        _tidy(tuple(hidden.values()), made)
        if isinstance(error, UnwritableError):
            raise UnwritableError(_in_final_names(error.message, hidden), error.hint) from error
        if isinstance(error, OSError) and not isinstance(error, HailError):
            message = f"{_named(error, hidden) or paths[0]} could not be written ({error.strerror or error})"
            raise UnwritableError(message, "check free space and permissions") from error
        raise


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
