"""What became of each job, a small file for each: `.hail-mri/states/<key>.json` in the folder of the results.

The key is a hash of all that a result depends on and of its name, so that a job is known again whoever runs it.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from hail_mri import __version__
from hail_mri.apps.earlier import NO_MATTER
from hail_mri.apps.engine.jobs import RunChoices, ScanJob, mask_paths
from hail_mri.errors import HailError, OutputExistsError
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.folder_names import STATE_DIR
from hail_mri.provenance.hashes import InputFile
from hail_mri.provenance.sidecar import write_json

# Folders in `STATE_DIR`: of states, of traces of errors, of claims of runs, and of tables of single participants.
STATES, ERRORS, CLAIMS_DIR, RUNS_DIR = KEPT = ("states", "errors", "claims", "runs")

# Of those that were found running when nobody could be.
Status = Literal["running", "done", "failed", "interrupted"]


@dataclass(frozen=True)
class State:
    """A job as its file tells it.

    Attributes
    ----------
    key : str
    status : Status
    attempts : int
        How often it was begun, by all runs.
    run : str
        By which run last.
    source, output, target : str
        Paths as seen from the folder of the results.
    message : str
        Why it failed.
    seconds : float
        Of the last attempt.
    changed : str
        When the file was written, UTC.
    version : str
        Of hail-mri.
    """

    key: str
    status: Status
    attempts: int
    run: str
    source: str
    output: str
    target: str
    message: str = ""
    seconds: float = 0.0
    changed: str = ""
    version: str = __version__


def states_dir(table_dir: Path) -> Path:
    """Return the folder of the states."""
    return table_dir / STATE_DIR / STATES


def state_path(table_dir: Path, key: str) -> Path:
    """Return the file of a state."""
    return states_dir(table_dir) / f"{key}.json"


def require_no_links(table_dir: Path) -> None:
    """Make sure that what is kept of jobs lies below a folder, and not where somebody's link leads.

    Raises
    ------
    OutputExistsError
        If a folder of ours is a link.
    """
    ours = table_dir / STATE_DIR
    for folder in (ours, *(ours / name for name in KEPT)):
        if folder.is_symlink():
            raise OutputExistsError(
                f"{folder} is a link to {os.readlink(folder)}, expected a folder of this program's own",  # noqa: PTH115
                "remove the link, or write to another folder",
            )


def job_hashes(job: ScanJob) -> dict[str, str]:
    """Return the SHA-256 of all files that a result depends on, as far as they can be read, and of the weights."""
    from hail_mri.model.weights import weights_hash

    files = {"Source": job.request.source, **mask_paths(job.request), "Target": job.target.path}
    others = {"brain_mask": job.target.brain_mask, "lesion_mask": job.target.lesion_mask}
    others |= {"reference": job.target.reference}
    files |= {f"target_{name}": path for name, path in others.items() if path is not None}
    hashes: dict[str, str] = {}
    for name, path in files.items():
        with suppress(HailError):
            hashes[name] = InputFile.read(path).sha256
    with suppress(HailError):
        hashes["Weights"] = weights_hash(job.settings.model)
    return hashes


def job_key(hashes: Mapping[str, str], job: ScanJob, table_dir: Path) -> str:
    """Return the hash of all that a result depends on, and of its name."""
    settings = {name: value for name, value in asdict(job.settings).items() if name not in NO_MATTER}
    told = {"files": dict(hashes), "settings": settings, "output": os.path.relpath(job.request.output, table_dir)}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def new_state(job: ScanJob, key: str, choices: RunChoices) -> State:
    """Return the state of a job that begins now; attempts of earlier runs are counted."""
    folder = choices.states_dir
    earlier = read_state(state_path(folder, key))
    return State(
        key,
        "running",
        attempts=1 if earlier is None else earlier.attempts + 1,
        run=choices.run,
        source=os.path.relpath(job.request.source, folder),
        output=os.path.relpath(job.request.output, folder),
        target=os.path.relpath(job.target.path, folder),
    )


def write_state(state: State, table_dir: Path) -> None:
    """Write the file of a state.

    Raises
    ------
    UnwritableError
        If it cannot be written; it stays as it was.
    """
    path = state_path(table_dir, state.key)
    told = asdict(state) | {"changed": datetime.now(UTC).isoformat(timespec="seconds")}

    def write(hidden: Mapping[Path, Path]) -> None:
        write_json(told, hidden[path])

    write_together([path], write)


def read_state(path: Path) -> State | None:
    """Return the state in a file; None if there is none, or none that we wrote."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        state = State(**told)
    except (OSError, ValueError, TypeError):
        return None
    return state if isinstance(state.attempts, int) and isinstance(state.output, str) else None


def read_states(table_dir: Path) -> list[State]:
    """Return all states below a folder of results."""
    found = (read_state(path) for path in sorted(states_dir(table_dir).glob("*.json")))
    return [state for state in found if state is not None]
