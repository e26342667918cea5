"""The table of results of a batch: what became of every image, kept up to date after each.

Runs into one folder share the table: the rows of other runs stay.
"""

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hail_mri.apps.scan import Report
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.lock import locked

RESULT_TABLE = "harmonized.tsv"
NO_OUTPUT = "n/a"  # as in BIDS
_COLUMNS = ("source", "output", "status", "message", "seconds")

Status = Literal["done", "done already", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """What became of one image.

    Attributes
    ----------
    source : Path
    output : Path or None
        None if it was skipped.
    status : Status
        "done already" if its result was there, made of the same files with the same settings.
    message : str
        The error, the warnings and the checks that are not ok, or the reason to skip it.
    seconds : float
    report : Report or None
        Warnings and checks of a result; of one that failed, checks of the target alone; None if it was skipped.
    """

    source: Path
    output: Path | None
    status: Status
    message: str
    seconds: float = 0.0
    report: Report | None = None

    @property
    def failed(self) -> bool:
        """Whether there is no result where one was wanted."""
        return self.status == "failed"


def is_result_table(path: Path) -> bool:
    """Return whether a file is a table of results, by its header."""
    return _read(path)[:1] == [_COLUMNS]


def write_outcomes(outcomes: Sequence[Outcome], table_path: Path) -> None:
    """Write the table of results; rows of other runs into the folder are kept.

    Raises
    ------
    UnwritableError
        If it cannot be written; it stays as it was.
    """
    rows = [_row(outcome, table_path.parent) for outcome in outcomes]
    ours = {row[:1] for row in rows} | {row[1:2] for row in rows if row[1] != NO_OUTPUT}

    def write(hidden: Mapping[Path, Path]) -> None:
        with hidden[table_path].open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, dialect="excel-tab", lineterminator="\n")
            writer.writerow(_COLUMNS)
            writer.writerows([*others, *rows])

    # Between reading and replacing, another run must not write: its last row would be lost.
    with locked(table_path):
        earlier = _read(table_path)[1:] if is_result_table(table_path) else []
        others = [row for row in earlier if row[:1] not in ours and row[1:2] not in ours]
        write_together([table_path], write)


def _read(table_path: Path) -> list[tuple[str, ...]]:
    """Return the rows of a table, header first, without empty ones; none if there is no table."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front.
        with table_path.open(encoding="utf-8-sig", newline="") as file:
            return [tuple(cells) for cells in csv.reader(file, dialect="excel-tab") if cells]
    except (OSError, ValueError, csv.Error):
        return []


def _row(outcome: Outcome, folder: Path) -> tuple[str, ...]:
    """Return the cells of one outcome."""
    source = os.path.relpath(outcome.source, folder)
    output = NO_OUTPUT if outcome.output is None else os.path.relpath(outcome.output, folder)
    return (source, output, outcome.status, " ".join(outcome.message.split()), f"{outcome.seconds:.2f}")
