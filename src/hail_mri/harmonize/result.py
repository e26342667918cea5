"""A result is two files, the scan and its JSON sidecar, which appear together or not at all."""

import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hail_mri.errors import HailError, InputError, OutputExistsError, UnwritableError
from hail_mri.harmonize.sidecar import Provenance, describe, file_sha256, sidecar_path, write_json
from hail_mri.image.nifti import save_volume
from hail_mri.image.volume import Volume


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
    require_writable_folder(path.parent)


def require_folder_free(folder: Path, *, overwrite: bool) -> None:
    """Make sure that a folder may be filled; raises as `require_free`, also when it has something in it already."""
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputExistsError(f"{folder} is not empty, expected a new folder", "choose another or ask to --overwrite")
    require_writable_folder(folder)


def require_writable_folder(folder: Path) -> None:
    """Make sure, without making it, that a folder can be written to or made.

    Raises
    ------
    UnwritableError
        If it cannot.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not existing.is_dir():
        raise UnwritableError(f"{folder} cannot be written to, {existing} is not a folder", "write somewhere else")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UnwritableError(f"{existing} is a folder you may not write to", "write somewhere else")


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
    suffix = result_path.name[len(final_sidecar.stem) :]
    hidden = result_path.with_name(f".{final_sidecar.stem}.{os.getpid()}{suffix}")
    hidden_sidecar = sidecar_path(hidden)
    made = [folder for folder in (result_path.parent, *result_path.parent.parents) if not folder.exists()]
    try:
        result_path.parent.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        save_volume(volume, hidden, overwrite=True)
        seconds = {**provenance.seconds, "write": time.perf_counter() - start}
        record = describe(replace(provenance, seconds=seconds), result_path, result_sha256=file_sha256(hidden))
        write_json(record, hidden_sidecar)
        _rename_pair(hidden_sidecar, final_sidecar, hidden, result_path)
    except BaseException as error:
        _tidy((hidden, hidden_sidecar), made)
        if isinstance(error, OSError) and not isinstance(error, HailError):
            message = f"{result_path} could not be written ({error.strerror or error})"
            raise UnwritableError(message, "check free space and permissions") from error
        raise


def _rename_pair(hidden_sidecar: Path, final_sidecar: Path, hidden: Path, result_path: Path) -> None:
    """Give both files their names; when the second cannot have it, the first gives its own back."""
    previous = final_sidecar.read_bytes() if final_sidecar.exists() else None
    hidden_sidecar.replace(final_sidecar)
    try:
        hidden.replace(result_path)
    except BaseException:
        if previous is None:
            final_sidecar.unlink()
        else:
            final_sidecar.write_bytes(previous)
        raise


def _tidy(files: tuple[Path, ...], folders: list[Path]) -> None:
    """Remove files, and folders (innermost first) that nobody else has put anything in."""
    with suppress(OSError):
        for file in files:
            file.unlink(missing_ok=True)
        for folder in folders:
            folder.rmdir()
