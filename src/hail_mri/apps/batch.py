"""Many scans with one target, one after the other; a scan that fails does not stop the rest."""

import csv
import os
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hail_mri.apps.requests import ScanRequest, requests_of_batch, require_possible
from hail_mri.apps.scan import FileHarmonizer, LookPath, read_scan, read_target
from hail_mri.apps.terminal import one_line, progress
from hail_mri.errors import HailError
from hail_mri.harmonize.settings import HarmonizeSettings

RESULT_TABLE = "harmonized.tsv"
_COLUMNS = ("source", "output", "status", "message", "seconds")


@dataclass(frozen=True)
class Outcome:
    """What became of one request: the error if it failed, the warnings if not, and the seconds it took."""

    request: ScanRequest
    failed: bool
    message: str
    seconds: float


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
        `harmonized.tsv` among the results: source, output (relative to the table's folder), status (`done`,
        `failed`), message, seconds. It is complete after every scan, so that nothing is lost when the run is stopped.

    Raises
    ------
    HailError
        Before the first scan, if any result could not be written or the look cannot be had.
    """
    requests = requests_of_batch(source, output, brain_mask)
    table_path = (source.parent if output is None else output) / RESULT_TABLE
    inputs = [look.path] if source.is_dir() else [look.path, source]
    require_possible(requests, inputs, table_path=table_path, overwrite=overwrite)
    harmonizer = FileHarmonizer(read_target(look), settings, overwrite=overwrite)
    outcomes: list[Outcome] = []
    with progress("harmonizing", total=len(requests)) as advance:
        for request in requests:
            outcomes.append(_attempt(request, harmonizer))
            write_outcomes(outcomes, table_path)
            advance()
    return outcomes, table_path


def write_outcomes(outcomes: Sequence[Outcome], table_path: Path) -> None:
    """Write the table of results under a hidden name and rename it."""
    table_path.parent.mkdir(parents=True, exist_ok=True)
    hidden = table_path.with_name(f".{table_path.name}.{os.getpid()}")
    try:
        with hidden.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, dialect="excel-tab", lineterminator="\n")
            writer.writerow(_COLUMNS)
            writer.writerows(_row(outcome, table_path.parent) for outcome in outcomes)
        hidden.replace(table_path)
    finally:
        hidden.unlink(missing_ok=True)


def _attempt(request: ScanRequest, harmonizer: FileHarmonizer) -> Outcome:
    """Harmonize one scan and say what became of it."""
    start = time.perf_counter()
    try:
        message = "; ".join(harmonizer.run(read_scan(request), request.output))
        failed = False
    except HailError as error:
        message, failed = _with_name(request.source, one_line(error)), True
    except Exception as error:  # noqa: BLE001
        # A bug of ours: shown in full, but the other scans of a night's run should not pay for it.
        traceback.print_exc()
        message, failed = _with_name(request.source, f"internal error, {error!r}"), True
    return Outcome(request, failed, message, time.perf_counter() - start)


def _with_name(source: Path, message: str) -> str:
    """Return a message that says which scan it is about."""
    return message if str(source) in message else f"{source}: {message}"


def _row(outcome: Outcome, folder: Path) -> tuple[str, ...]:
    """Return the cells of one outcome."""
    source, output = (os.path.relpath(path, folder) for path in (outcome.request.source, outcome.request.output))
    status = "failed" if outcome.failed else "done"
    return (source, output, status, " ".join(outcome.message.split()), f"{outcome.seconds:.2f}")
