"""Many scans with one target, one after the other; a scan that fails does not stop the rest."""

import csv
import os
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hail_mri.apps.earlier import is_done
from hail_mri.apps.requests import ScanRequest, requests_of_batch, require_possible
from hail_mri.apps.scan import FileHarmonizer, LookPath, read_scan, read_target
from hail_mri.apps.terminal import one_line, progress
from hail_mri.errors import HailError
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.provenance.atomic_write import write_together

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
        The error, the warnings, or the reason to skip it.
    seconds : float
    """

    source: Path
    output: Path | None
    status: Status
    message: str
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether there is no result where one was wanted."""
        return self.status == "failed"


def harmonize_batch(
    source: Path,
    output: Path | None,
    brain_mask: Path | None,
    look: LookPath,
    settings: HarmonizeSettings,
    *,
    overwrite: bool,
) -> tuple[list[Outcome], Path]:
    """Harmonize the scans of a folder or a table to one look, and keep a table of what became of them.

    Parameters
    ----------
    source : Path
        A folder or a table of requests.
    output : Path or None
        Folder for the results; None for a table's own folder.
    brain_mask : Path or None
        Refused: it cannot be the mask of many scans.
    look : LookPath
    settings : HarmonizeSettings
    overwrite : bool

    Returns
    -------
    outcomes : list of Outcome
        One for each scan, in their order.
    table_path : Path
        `harmonized.tsv` among the results: source, output (relative to the table's folder), status, message, seconds.
        It is complete after every scan, so that nothing is lost when the run is stopped; a later run goes on with what
        is missing.

    Raises
    ------
    HailError
        Before the first scan, if any result could not be written or the look cannot be had.
    """
    batch = requests_of_batch(source, output, brain_mask)
    table_path = (source.parent if output is None else output) / RESULT_TABLE
    inputs = look.read if source.is_dir() else [*look.read, source]
    target = read_target(look)
    done = [] if overwrite else [r for r in batch.requests if is_done(r, target.file, settings, look.brain_mask)]
    missing = [request for request in batch.requests if request not in done]
    require_possible(
        missing, inputs, table_path=table_path, overwrite=overwrite, rewrite_table=bool(_rows_of(table_path))
    )
    outcomes = [Outcome(path, None, "skipped", reason) for path, reason in batch.skipped]
    outcomes += [Outcome(request.source, request.output, "done already", "") for request in done]
    write_outcomes(outcomes, table_path)
    if not missing:
        return outcomes, table_path
    harmonizer = FileHarmonizer(target, settings, overwrite=overwrite)
    with progress("harmonizing", total=len(missing)) as advance:
        for request in missing:
            outcomes.append(_attempt(request, harmonizer))
            write_outcomes(outcomes, table_path)
            advance()
    return outcomes, table_path


def write_outcomes(outcomes: Sequence[Outcome], table_path: Path) -> None:
    """Write the table of results; rows of other runs into the folder are kept."""
    rows = [_row(outcome, table_path.parent) for outcome in outcomes]
    ours = {row[:1] for row in rows} | {row[1:2] for row in rows if row[1] != NO_OUTPUT}
    others = [row for row in _rows_of(table_path) if row[:1] not in ours and row[1:2] not in ours]

    def write(hidden: Mapping[Path, Path]) -> None:
        with hidden[table_path].open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, dialect="excel-tab", lineterminator="\n")
            writer.writerow(_COLUMNS)
            writer.writerows([*others, *rows])

    write_together([table_path], write)


def _rows_of(table_path: Path) -> list[tuple[str, ...]]:
    """Return the rows of a table of results; none if there is no table, or another one."""
    try:
        with table_path.open(encoding="utf-8", newline="") as file:
            header, *rows = (tuple(cells) for cells in csv.reader(file, dialect="excel-tab"))
    except (OSError, ValueError, csv.Error):
        return []
    return rows if header == _COLUMNS and all(len(row) == len(header) for row in rows) else []


def _attempt(request: ScanRequest, harmonizer: FileHarmonizer) -> Outcome:
    """Harmonize one scan and say what became of it."""
    start = time.perf_counter()
    try:
        report = harmonizer.run(read_scan(request), request.output)
        message = "; ".join([*report.warnings, *(str(c) for c in report.checks["Source"] if c.verdict != "ok")])
        status: Status = "done"
    except HailError as error:
        message, status = _with_name(request.source, one_line(error)), "failed"
    except Exception as error:  # noqa: BLE001
        # A bug of ours: shown in full, but the other scans of a night's run should not pay for it.
        traceback.print_exc()
        message, status = _with_name(request.source, f"internal error, {error!r}"), "failed"
    return Outcome(request.source, request.output, status, message, time.perf_counter() - start)


def _with_name(source: Path, message: str) -> str:
    """Return a message that says which scan it is about."""
    return message if str(source) in message else f"{source}: {message}"


def _row(outcome: Outcome, folder: Path) -> tuple[str, ...]:
    """Return the cells of one outcome."""
    source = os.path.relpath(outcome.source, folder)
    output = NO_OUTPUT if outcome.output is None else os.path.relpath(outcome.output, folder)
    return (source, output, outcome.status, " ".join(outcome.message.split()), f"{outcome.seconds:.2f}")
