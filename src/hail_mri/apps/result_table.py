"""The table of results of a batch, for people and for audits: what became of every image, kept up to date after each.

Runs into one folder share the table: the rows of other runs stay, also those of earlier versions, which had fewer
columns.
"""

import csv
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hail_mri import __version__
from hail_mri.apps.requests import MASK_COLUMNS
from hail_mri.apps.scan import Report
from hail_mri.errors import InputError, MissingFileError
from hail_mri.harmonize.check import Verdict
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.lock import locked
from hail_mri.provenance.tables import NO_VALUE, read_lines

NAMES = ("subject", "session", "site")
_WITHOUT_MASKS = (
    *("source", "output", *NAMES, "target", "status", "verdict", "message", "attempts", "seconds"),
    *("peak_memory_mib", "source_sha256", "target_sha256", "result_sha256", "weights_sha256", "settings", "version"),
    "report",
)
COLUMNS = (*_WITHOUT_MASKS, *MASK_COLUMNS, *(f"{column}_sha256" for column in MASK_COLUMNS))
_EARLIER_COLUMNS = (("source", "output", "status", "message", "seconds"), _WITHOUT_MASKS)  # the first until 0.2
_VERDICTS: tuple[Verdict, ...] = ("ok", "check", "fail")  # from best to worst

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
        Warnings and checks of a result; of one that failed, those checks that are known; None if it was skipped.
    names : mapping of str to str
        `subject`, `session` and `site`, as far as they are known.
    target : Path or None
    settings : mapping of str to Any, or None
        Those that the result was made with, or was to be.
    attempts : int
        How often it was begun, by all runs.
    peak_memory_mib : float or None
        Largest memory of the process meanwhile, MiB.
    hashes : mapping of str to str
        SHA-256 of `Source`, `Target`, `Result`, `Weights`, and of masks by `brain_mask` and `lesion_mask`, as far as
        they are known.
    masks : mapping of str to Path
        Masks of the source that were read or were to be, by the same names.
    html_report : Path or None
        The report of the scan, if there is one.
    version : str
        Of hail-mri, which made the result or tried to.
    """

    source: Path
    output: Path | None
    status: Status
    message: str
    seconds: float = 0.0
    report: Report | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    target: Path | None = None
    settings: Mapping[str, Any] | None = None
    attempts: int = 0
    peak_memory_mib: float | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, Path] = field(default_factory=dict)
    html_report: Path | None = None
    version: str = __version__

    @property
    def failed(self) -> bool:
        """Whether there is no result where one was wanted."""
        return self.status == "failed"

    @property
    def verdict(self) -> Verdict | None:
        """The worst of all checks; None if there are none."""
        checks = () if self.report is None else self.report.checks.values()
        found = {check.verdict for group in checks for check in group}
        return next((verdict for verdict in reversed(_VERDICTS) if verdict in found), None)


def is_result_table(path: Path) -> bool:
    """Return whether a file is a table of results, by its header; one of earlier versions, too."""
    return _read(path)[:1] in [[columns] for columns in (COLUMNS, *_EARLIER_COLUMNS)]


def read_results(table_path: Path) -> list[dict[str, str]]:
    """Return the rows of a table of results by column; of what is no such table, none."""
    return [dict(zip(COLUMNS, row, strict=False)) for row in _rows(table_path)]


def write_outcomes(outcomes: Sequence[Outcome], table_path: Path) -> None:
    """Write the table of results; rows of other runs into the folder are kept.

    A row is replaced by one of the same output; one without an output by any of the same source.

    Raises
    ------
    UnwritableError
        If it cannot be written; it stays as it was.
    """
    rows = [_row(outcome, table_path.parent) for outcome in outcomes]
    sources, outputs = {row[0] for row in rows}, {row[1] for row in rows if row[1] != NO_VALUE}

    def write(hidden: Mapping[Path, Path]) -> None:
        with hidden[table_path].open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, dialect="excel-tab", lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows([*others, *rows])

    # Between reading and replacing, another run must not write: its last row would be lost.
    with locked(table_path):
        others = [row for row in _rows(table_path) if not _is_replaced(row, sources, outputs)]
        write_together([table_path], write)


def _is_replaced(row: tuple[str, ...], sources: Collection[str], outputs: Collection[str]) -> bool:
    """Return whether a row of an earlier run is one of this run, too."""
    output = row[1] if len(row) > 1 else NO_VALUE
    return row[0] in sources if output == NO_VALUE else output in outputs


def _rows(table_path: Path) -> list[tuple[str, ...]]:
    """Return the rows of a table of results, in the columns of today."""
    header, *rows = _read(table_path) or [()]
    if header == COLUMNS:  # somebody may have cut a row, or added to it
        return [(*row, *(NO_VALUE for _ in COLUMNS[len(row) :]))[: len(COLUMNS)] for row in rows]
    if header not in _EARLIER_COLUMNS:
        return []
    earlier = [dict(zip(header, row, strict=False)) for row in rows]
    return [tuple(row.get(name, NO_VALUE) for name in COLUMNS) for row in earlier]


def _read(table_path: Path) -> list[tuple[str, ...]]:
    """Return the rows of a table, header first, without empty ones; none if there is no table."""
    try:
        return [tuple(cells) for _, cells in read_lines(table_path, expected="a table of results")]
    except (InputError, MissingFileError):
        return []


def _row(outcome: Outcome, folder: Path) -> tuple[str, ...]:
    """Return the cells of one outcome."""
    settings = outcome.settings and json.dumps(outcome.settings, separators=(",", ":"))
    told = {
        "source": os.path.relpath(outcome.source, folder),
        "output": outcome.output and os.path.relpath(outcome.output, folder),
        **outcome.names,
        "target": outcome.target and os.path.relpath(outcome.target, folder),
        "status": outcome.status,
        "verdict": outcome.verdict,
        "message": " ".join(outcome.message.split()),
        "attempts": outcome.attempts or None,
        "seconds": f"{outcome.seconds:.2f}",
        "peak_memory_mib": outcome.peak_memory_mib,
        **{f"{name.lower()}_sha256": sha256 for name, sha256 in outcome.hashes.items()},
        **{name: os.path.relpath(path, folder) for name, path in outcome.masks.items()},
        "settings": settings,
        "version": None if outcome.status == "skipped" else outcome.version,
        "report": outcome.html_report and os.path.relpath(outcome.html_report, folder),
    }
    return tuple(_cell(told.get(name)) for name in COLUMNS)


def _cell(value: object) -> str:
    """Return the text of a cell; bytes of a name that are no UTF-8 are written as escapes."""
    return NO_VALUE if value in (None, "") else str(value).encode("utf-8", "backslashreplace").decode()
