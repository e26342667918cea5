"""Which participants a run has for itself: runs of others may share the folder of results at the same time."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from hail_mri.apps.engine.run_lock import STALE, RunLock, living, told_by, who_has
from hail_mri.apps.engine.states import CLAIMS_DIR, require_no_links
from hail_mri.errors import OutputExistsError, UnwritableError
from hail_mri.provenance.folder_names import STATE_DIR
from hail_mri.provenance.lock import locked

_PARTICIPANTS = "participants"


@contextmanager
def claimed(output_dir: Path, participants: Collection[str]) -> Iterator[RunLock]:
    """Have some participants of a folder of results for one run until the `with` block ends.

    Parameters
    ----------
    output_dir : Path
        Folders that are missing are made, and removed if nothing was put into them.
    participants : collection of str
        Labels, without `sub-`.

    Yields
    ------
    claim : RunLock
        Of a run that was killed, or whose machine slept, it goes to the next one.

    Raises
    ------
    OutputExistsError
        If a run that lasts has one of them, or a folder of ours is a link.
    UnwritableError
        If the folder cannot be written to.
    """
    require_no_links(output_dir)
    path = output_dir / STATE_DIR / CLAIMS_DIR / f"{uuid4().hex}.lock"
    made = [folder for folder in path.parents if not folder.exists()]
    claim = RunLock(path, output_dir, {_PARTICIPANTS: sorted(participants)})
    try:
        # Between looking at the claims of others and making one, nobody else may: both would go on.
        with locked(path.parent / "all", stale=2 * STALE):
            _require_unclaimed(path.parent, output_dir, participants)
            try:
                claim.take()
            except OSError as error:
                message = f"{output_dir} cannot be written to ({error.strerror or error})"
                raise UnwritableError(message, "check free space and permissions, or choose another folder") from error
        yield claim
    finally:
        claim.give_back()
        for folder in made:
            with suppress(OSError):
                folder.rmdir()


def _require_unclaimed(claims_dir: Path, output_dir: Path, participants: Collection[str]) -> None:
    """Refuse participants that a living run has; claims of runs that are gone are removed."""
    shared = {path: _participants_of(path) & set(participants) for path in sorted(claims_dir.glob("*.lock"))}
    shared = {path: labels for path, labels in shared.items() if labels}
    found = living(list(shared))
    if found is not None:
        names = ", ".join(f"sub-{label}" for label in sorted(shared[found]))
        raise OutputExistsError(
            f"{output_dir}: {names} is being harmonized by another run ({who_has(found)})", "wait until it is done"
        )
    for path in shared:
        path.unlink(missing_ok=True)


def _participants_of(path: Path) -> set[str]:
    """Return the participants of a claim; none of one that ends meanwhile."""
    labels = told_by(path).get(_PARTICIPANTS)
    return {label for label in labels if isinstance(label, str)} if isinstance(labels, list) else set()
