"""A lock on a file that several processes, perhaps of several machines, read and replace.

The lock is a hidden file beside it, made by whoever has it: of all who ask for a file that must be new, one gets it, on
network file systems too. Locks of the operating system (fcntl) end with their process, but some file systems refuse
them or keep them to one machine.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from hail_mri.errors import UnwritableError

PAUSE = 0.02  # s between two looks
STALE = 15.0  # s; what is done under a lock takes a fraction of one


@contextmanager
def locked(path: Path, *, stale: float = STALE) -> Iterator[None]:
    """Have a file for oneself until the `with` block ends, and wait until that can be.

    Parameters
    ----------
    path : Path
        Need not exist; folders that are missing are made, and removed if nothing was put into them.
    stale : float
        A lock that one process keeps for longer than this is taken for that of one that was killed, s.

    Raises
    ------
    UnwritableError
        If the folder cannot be made or written to.

    Notes
    -----
    How long a lock is kept is measured by looking at it, not by its date: clocks of two machines may differ.
    """
    lock, owner = lock_path(path), uuid4().hex
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _take(lock, owner, stale)
        except OSError as error:
            message = f"{path} could not be written ({error.strerror or error})"
            raise UnwritableError(message, "check free space and permissions") from error
        yield
    finally:
        if _owner_of(lock) == owner:
            lock.unlink(missing_ok=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Wait until no other process of this machine makes the same file, however long that takes.

    Parameters
    ----------
    path : Path
        Need not exist; its folder does.

    Notes
    -----
    For what takes minutes and may be done twice: nothing is locked where the system or the file system has no such
    lock (fcntl). One that is held ends with its process, whatever becomes of that.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    place = path.with_name(f".{path.name}.turn")
    with place.open("wb") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            place.unlink(missing_ok=True)


def lock_path(path: Path) -> Path:
    """Return the lock of a file."""
    return path.with_name(f".{path.name}.lock")


def _take(lock: Path, owner: str, stale: float) -> None:
    """Wait until the lock is ours."""
    seen, since = None, time.monotonic()
    while not _made(lock, owner):
        found = _owner_of(lock)
        if found is None or found != seen:
            seen, since = found, time.monotonic()
        elif time.monotonic() - since > stale:
            _break(lock, found)
        time.sleep(PAUSE)


def _break(lock: Path, owner: str) -> None:
    """Remove the lock of an owner who keeps it for too long; one that somebody else has taken meanwhile comes back."""
    taken = lock.with_name(f"{lock.name}.{uuid4().hex}")
    with suppress(FileNotFoundError):
        lock.replace(taken)
        if _owner_of(taken) != owner:
            with suppress(FileExistsError):
                os.link(taken, lock)
        taken.unlink()


def _made(lock: Path, owner: str) -> bool:
    """Make the lock, unless there is one."""
    try:
        file = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    try:
        with os.fdopen(file, "w", encoding="ascii") as text:
            text.write(owner)
    except BaseException:
        lock.unlink()
        raise
    return True


def _owner_of(lock: Path) -> str | None:
    """Return who has the lock; nothing if that cannot be read, None if nobody has it."""
    try:
        return lock.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return ""
