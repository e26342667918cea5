"""A table of scans to learn from: who, from which site, where the file is; and, if the lab chose it, what it is for."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from hail_mri.errors import InputError, MissingFileError
from hail_mri.provenance.tables import read_lines

Part = Literal["train", "validation", "test"]
REQUIRED, OPTIONAL = ("subject", "site", "path"), "split"
MOST_NAMED = 5  # rows that an error names


@dataclass(frozen=True)
class ScanRow:
    """A scan of a subject at a site.

    Attributes
    ----------
    subject, site : str
    path : Path
        Absolute, or from where the table lies.
    part : "train", "validation", "test" or None
        As the table says in its column split; None where it has none.
    """

    subject: str
    site: str
    path: Path
    part: Part | None = None


def read_scan_table(path: str | Path) -> tuple[ScanRow, ...]:
    """
    Read a table of scans.

    Parameters
    ----------
    path : path
        Tab-separated, with the columns subject, site, path and, if wanted, split (train, validation, test). Paths are
        taken from the folder of the table.

    Raises
    ------
    MissingFileError
        If there is no such table, or a scan is not there.
    InputError
        If a column or a cell is missing, a scan stands there twice, or a subject is in two splits.
    """
    path = Path(path)
    lines = read_lines(path, expected=f"a table of scans with the columns {', '.join(REQUIRED)}")
    columns = [name.strip() for name in lines[0][1]] if lines else []
    if missing := [name for name in REQUIRED if name not in columns]:
        raise InputError(
            f"{path} has the columns {', '.join(columns) or 'none'}, expected also {', '.join(missing)}",
            "columns are divided by tabs",
        )
    rows = tuple(_row(path, number, dict(zip(columns, cells, strict=False))) for number, cells in lines[1:])
    _require_sound(path, rows)
    return rows


def _row(table: Path, number: int, line: dict[str, str]) -> ScanRow:
    """Return a row of the table."""
    cells = {name: line.get(name, "").strip() for name in (*REQUIRED, OPTIONAL)}
    if empty := [name for name in REQUIRED if not cells[name]]:
        raise InputError(f"{table}, line {number}: {' and '.join(empty)} is empty", "give every scan all of them")
    known: dict[str, Part | None] = {"": None} | {part: part for part in get_args(Part)}
    if cells[OPTIONAL] not in known:
        found = cells[OPTIONAL]
        raise InputError(f"{table}, line {number}: split is {found!r}, expected {', '.join(get_args(Part))}")
    return ScanRow(cells["subject"], cells["site"], table.parent / cells["path"], known[cells[OPTIONAL]])


def _require_sound(table: Path, rows: tuple[ScanRow, ...]) -> None:
    """Refuse a table that contradicts itself, or whose scans are not there."""
    if not rows:
        raise InputError(f"{table} has no scans", f"a line for each, with {', '.join(REQUIRED)}")
    if absent := [str(row.path) for row in rows if not row.path.is_file()]:
        raise MissingFileError(f"{table} names {_some(absent)}: not there", "paths are taken from the table's folder")
    if twice := [str(path) for path, n in Counter(row.path.resolve() for row in rows).items() if n > 1]:
        raise InputError(f"{table} names {_some(twice)} more than once", "a line for each scan")
    parts = defaultdict(set)
    for row in rows:
        parts[row.subject].add(row.part)
    if torn := sorted(subject for subject, found in parts.items() if len(found) > 1):
        raise InputError(
            f"{table} has {_some(torn)} in two splits, or in one and none",
            "what is learned of a subject must not be judged on it: one split for all of its scans",
        )
    if 0 < sum(row.part is None for row in rows) < len(rows):
        raise InputError(f"{table} says of some scans in which split they are, and not of others", "all, or none")


def _some(names: list[str]) -> str:
    """Name a few of many."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
