"""Files that were read, with the hash that shows whether anything has changed since."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.provenance.regular_file import size_of_file

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class InputFile:
    """A file that was read, with the SHA-256 its bytes had then (hexadecimal)."""

    path: Path
    sha256: str

    @classmethod
    def read(cls, path: Path) -> InputFile:
        """Return the file with the hash it has now.

        Raises
        ------
        MissingFileError
            If there is no such file.
        InputError
            If it cannot be read, or is no file.
        """
        size_of_file(path)
        try:
            return cls(path, file_sha256(path))
        except OSError as error:
            raise InputError(
                f"{path} cannot be read ({error.strerror})", "check the permissions of the file"
            ) from error


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
