"""Which scans of a data set a run takes: by participant, by session, and by a filter file.

A *filter file* is JSON as fMRIPrep has it: `{"t1w": {"session": "01", "acquisition": ["mprage", "bravo"]}}`. Entities
may be written as in names (`acq`) or in full; null stands for "not in the name", `*` for any label.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hail_mri.apps.bids.dataset import BidsScan, Dataset
from hail_mri.apps.bids.side_files import read_json_object
from hail_mri.errors import InputError

QUERY = "t1w"
ANY = "*"
MOST_NAMED = 8  # labels in a message
# Keys of names, by what they are called in full.
IN_FULL = {
    "subject": "sub",
    "session": "ses",
    "acquisition": "acq",
    "ceagent": "ce",
    "reconstruction": "rec",
    "run": "run",
    "echo": "echo",
    "part": "part",
    "chunk": "chunk",
}
FIXED = {"datatype": "anat", "suffix": "T1w"}  # may be in a filter; nothing else is taken anyhow

Filter = Mapping[str, tuple[str | None, ...]]  # labels by key


@dataclass(frozen=True)
class Selection:
    """The scans of a run, and what is left out of it without being asked for: paths, each with the reason."""

    scans: tuple[BidsScan, ...]
    skipped: tuple[tuple[Path, str], ...]


def select(
    dataset: Dataset, participants: Sequence[str] = (), sessions: Sequence[str] = (), wanted: Filter | None = None
) -> Selection:
    """Choose the scans of some participants and sessions.

    Parameters
    ----------
    dataset : Dataset
    participants, sessions : sequence of str
        Labels with or without `sub-` and `ses-`; all if there are none.
    wanted : Filter, optional
        As `read_filter` returns it.

    Raises
    ------
    InputError
        If a participant or a session is unknown, or no scan is left.
    """
    subjects = _known("participant", participants, "sub-", dataset.subjects)
    sessions = _known("session", sessions, "ses-", {scan.session for scan in dataset.scans} - {""})
    mine = [scan for scan in dataset.scans if not subjects or scan.subject in subjects]
    scans = [scan for scan in mine if not sessions or scan.session in sessions]
    scans = [scan for scan in scans if matches(scan, wanted or {})]
    if not scans:
        left = f"{len(mine)} T1w scans of these participants, but none" if mine else "no T1w scan"
        raise InputError(
            f"{dataset.root} has {left} of the sessions and names asked for",
            "look at --participant-label, --session-id and --bids-filter-file",
        )
    chosen = subjects or dataset.subjects
    skipped = [(path, reason) for path, reason in dataset.skipped if _subject_of(path, dataset) in chosen]
    found = {scan.subject for scan in scans} | {_subject_of(path, dataset) for path, _ in skipped}
    skipped += [
        (dataset.root / f"sub-{name}", "it has no T1w scan that was asked for") for name in chosen if name not in found
    ]
    return Selection(tuple(scans), tuple(sorted(skipped)))


def read_filter(path: Path | None) -> Filter:
    """Read a filter file; none filters nothing.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no such file, or names an entity that T1-weighted scans do not have.
    """
    if path is None:
        return {}
    queries = read_json_object(path, expected='a filter file, for instance {"t1w": {"acquisition": "mprage"}}')
    query = queries.get(QUERY)
    if query is None:
        raise InputError(f"{path} has no entry {QUERY!r}, expected what T1-weighted scans are to be")
    if not isinstance(query, dict):
        raise InputError(f'{path}: {QUERY} is {query!r}, expected an object such as {{"acquisition": "mprage"}}')
    return {
        _key(path, name): _labels(path, name, value)
        for name, value in query.items()
        if not _is_fixed(path, name, value)
    }


def matches(scan: BidsScan, wanted: Filter) -> bool:
    """Return whether a scan has the labels that a filter asks for.

    Examples
    --------
    >>> scan = BidsScan(Path(), Path("sub-01_run-01_T1w.nii"), {"sub": "01", "run": "01"})
    >>> matches(scan, {"run": ("1",), "acq": (None,)}), matches(scan, {"run": ("2", "3")})
    (True, False)
    """
    return all(any(_same(scan.entities.get(key), label) for label in labels) for key, labels in wanted.items())


def _same(found: str | None, label: str | None) -> bool:
    """Compare a label with one that is asked for; 1 is 01."""
    if found is None or label is None:
        return found is label
    return label in (ANY, found) or (found.isdecimal() and label.isdecimal() and int(found) == int(label))


def _is_fixed(path: Path, name: str, value: Any) -> bool:
    """Return whether an entry of a filter asks for what is taken anyhow; refuse one that asks for anything else."""
    if name == "extension":
        return True
    if name in FIXED and value not in (FIXED[name], [FIXED[name]]):
        raise InputError(f"{path}: {name} is {value!r}, expected {FIXED[name]!r}: nothing else can be harmonized")
    return name in FIXED


def _key(path: Path, name: str) -> str:
    """Return the key of an entity, as names have it."""
    key = IN_FULL.get(name, name)
    if key not in IN_FULL.values():
        close = get_close_matches(name, [*IN_FULL, *IN_FULL.values()], n=1)
        hint = f"did you mean {close[0]}?" if close else ""
        raise InputError(f"{path}: {name!r} is unknown, expected one of {', '.join(IN_FULL)}", hint)
    return key


def _labels(path: Path, name: str, value: Any) -> tuple[str | None, ...]:
    """Return the labels that an entry of a filter allows."""
    values = value if isinstance(value, list) else [value]
    if not values or not all(
        one is None or (isinstance(one, (str, int)) and not isinstance(one, bool)) for one in values
    ):
        raise InputError(f"{path}: {name} is {value!r}, expected a label, a list of labels, or null")
    return tuple(None if one is None else str(one).removeprefix(f"{IN_FULL.get(name, name)}-") for one in values)


def _known(kind: str, asked: Sequence[str], prefix: str, known: Collection[str]) -> tuple[str, ...]:
    """Return labels without their prefix, each once, all of them known."""
    labels = tuple(dict.fromkeys(label.removeprefix(prefix) for label in asked))
    unknown = [label for label in labels if label not in known]
    if unknown:
        names = sorted(known)
        some = ", ".join(names[:MOST_NAMED]) + (
            f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        )
        raise InputError(f"no {kind} is called {', '.join(unknown)}; the data set has {some or 'none'}")
    return labels


def _subject_of(path: Path, dataset: Dataset) -> str:
    """Return in which subject's folder a path lies."""
    return path.relative_to(dataset.root).parts[0].removeprefix("sub-")
