"""A file to read: it is there, and it is a plain file; a pipe or a device may never end."""

import stat
from pathlib import Path

from hail_mri.errors import InputError, MissingFileError

# What else a name in a folder can stand for.
_KINDS = (
    (stat.S_ISDIR, "a folder", "name a file in it"),
    (stat.S_ISFIFO, "a pipe", "write what comes out of it to a file first"),
    (stat.S_ISSOCK, "a socket", "name a file"),
    (stat.S_ISCHR, "a device", "name a file"),
    (stat.S_ISBLK, "a device", "name a file"),
)


def size_of_file(path: Path, *, expected: str = "a file") -> int:
    """Return the size of a file in bytes; nothing is read of it.

    Parameters
    ----------
    path : pathlib.Path
        Links are followed.
    expected : str
        What the file should be, for the message.

    Raises
    ------
    MissingFileError
        When there is no such file.
    InputError
        When it is a folder, a pipe, a socket or a device, or nothing can be found out about it.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingFileError(f"{path} does not exist", hint="check the spelling and the folder you are in") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read ({reason})", hint="check the name and the permissions") from error
    for is_kind, kind, hint in _KINDS:
        if is_kind(status.st_mode):
            raise InputError(f"{path} is {kind}, expected {expected}", hint)
    return status.st_size
