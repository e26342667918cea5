"""One run at a time in a folder of results: a lock that lives as long as its process, on any machine.

The lock is a file that its owner counts up in, as a heart beats. Whoever finds one looks at it for a while: if it
beats, the folder is in use; if not, its owner was killed. Of an owner on the same machine the system knows whether it
lives.
(`provenance.lock` is for what takes a fraction of a second: there one waits, here one is refused.)
"""

import json
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

from hail_mri.errors import OutputExistsError, UnwritableError
from hail_mri.provenance.folder_names import STATE_DIR

BEAT = 1.0  # s between two beats
STALE = 15.0  # s without a beat: its owner is gone
_PAUSE = 0.1  # s between two looks
_DIGITS = 12  # of the count, at the start of the file


class RunLock:
    """The lock of a run; made by `run_lock`.

    Parameters
    ----------
    path : Path
    table_dir : Path
        The folder that is locked, for messages.
    told : mapping of str to object
        What the lock says beside its owner, as JSON.
    """

    def __init__(self, path: Path, table_dir: Path, told: Mapping[str, object] | None = None) -> None:
        self._path, self._table_dir = path, table_dir
        owner = {"owner": uuid4().hex, "pid": os.getpid(), "host": platform.node(), "place": _place()}
        self._owner = json.dumps(owner | dict(told or {}))
        self._ended = Event()
        self._heart = Thread(target=self._beat, daemon=True)

    def take(self) -> None:
        """Take the lock, or refuse."""
        seen, since = "", time.monotonic()
        while not self._made():
            found = _read(self._path)
            if found and _owner_is_gone(found):
                _break(self._path, found)
            elif found[_DIGITS:] != seen[_DIGITS:]:
                seen, since = found, time.monotonic()
            elif found != seen:
                raise OutputExistsError(f"{self._table_dir} is in use by another run ({_who(found)})", _HINT)
            elif time.monotonic() - since > STALE:
                _break(self._path, found)
            time.sleep(_PAUSE)
        self._heart.start()

    def require_held(self) -> None:
        """Make sure that the lock is still ours; another run may have taken it while this machine slept.

        Raises
        ------
        OutputExistsError
            If it is not.
        """
        found = _read(self._path)
        if found[_DIGITS:] != self._owner:
            raise OutputExistsError(f"{self._table_dir} was taken over by another run ({_who(found)})", _HINT)

    def give_back(self) -> None:
        """Remove the lock, if it is still ours."""
        self._ended.set()
        if self._heart.is_alive():
            self._heart.join()
        if _read(self._path)[_DIGITS:] == self._owner:
            self._path.unlink(missing_ok=True)

    def _made(self) -> bool:
        """Make the file, whole, unless there is one."""
        new, told = self._path.with_name(f"{self._path.name}.{uuid4().hex}"), "0" * _DIGITS + self._owner
        try:
            new.write_text(told, encoding="ascii")
            os.link(new, self._path)
        except FileExistsError:
            return False
        except OSError:  # a file system without second names
            return _made_new(self._path, told)
        finally:
            new.unlink(missing_ok=True)
        return True

    def _beat(self) -> None:
        """Count up in the file until the end; a file system that hiccups is tried again."""
        count = 0
        while not self._ended.wait(BEAT):
            count += 1
            with suppress(OSError):
                if _read(self._path)[_DIGITS:] == self._owner:
                    _write_count(self._path, count)


_HINT = "wait until it is done, or write to another folder"


@contextmanager
def run_lock(table_dir: Path) -> Iterator[RunLock]:
    """Have a folder of results for one run until the `with` block ends.

    Parameters
    ----------
    table_dir : Path
        Folders that are missing are made, and removed if nothing was put into them.

    Raises
    ------
    OutputExistsError
        If another run has it.
    UnwritableError
        If the folder cannot be made or written to.
    """
    path = table_dir / STATE_DIR / "run.lock"
    made = [folder for folder in path.parents if not folder.exists()]
    lock = RunLock(path, table_dir)
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.take()
        except OutputExistsError:
            raise
        except OSError as error:
            message = f"{table_dir} cannot be written to ({error.strerror or error})"
            raise UnwritableError(message, "check free space and permissions, or choose another folder") from error
        yield lock
    finally:
        lock.give_back()
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


def living(paths: Sequence[Path]) -> Path | None:
    """Return a lock whose owner lives; None if all owners are gone. Those of other machines are watched for a while."""
    seen = {path: found for path in paths if (found := _read(path)) and not _owner_is_gone(found)}
    end = time.monotonic() + STALE
    while seen and time.monotonic() < end:
        time.sleep(_PAUSE)
        now = {path: _read(path) for path in seen}
        beating = [path for path, found in now.items() if found and found != seen[path]]
        if beating:
            return beating[0]
        seen = {path: found for path, found in seen.items() if now[path]}  # some may have ended
    return None


def told_by(path: Path) -> dict[str, object]:
    """Return what a lock says; nothing if there is none."""
    return _told(_read(path))


def who_has(path: Path) -> str:
    """Return who has a lock, in words."""
    return _who(_read(path))


def _made_new(path: Path, told: str) -> bool:
    """Make a file, unless there is one; somebody may see it before it is whole."""
    try:
        with path.open("x", encoding="ascii") as file:
            file.write(told)
    except FileExistsError:
        return False
    return True


def _break(path: Path, found: str) -> None:
    """Remove the lock of an owner who is gone; one that somebody else has taken meanwhile comes back."""
    taken = path.with_name(f"{path.name}.{uuid4().hex}")
    with suppress(FileNotFoundError):
        path.replace(taken)
        if _read(taken)[_DIGITS:] != found[_DIGITS:]:
            with suppress(FileExistsError):
                os.link(taken, path)
        taken.unlink()


def _write_count(path: Path, count: int) -> None:
    """Write over the count at the start of a file, which is never shorter meanwhile."""
    file = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(file, f"{count:0{_DIGITS}d}".encode(), 0)
    finally:
        os.close(file)


def _read(path: Path) -> str:
    """Return what the lock says; nothing if there is none."""
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _told(found: str) -> dict[str, object]:
    """Return what a lock tells of its owner."""
    try:
        told = json.loads(found[_DIGITS:])
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _who(found: str) -> str:
    """Return who has a lock, in words."""
    told = _told(found)
    return f"process {told['pid']} of {told['host']}" if {"pid", "host"} <= set(told) else "of an unknown process"


def _owner_is_gone(found: str) -> bool:
    """Return whether the owner is known to be gone: a process of this system that does not live any more."""
    told = _told(found)
    pid = told.get("pid")
    if not isinstance(pid, int) or told.get("place") is None or told.get("place") != _place():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _place() -> str | None:
    """Return what numbers of processes belong to: this start of this machine, and its container; None if not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115
    except OSError:
        return None
