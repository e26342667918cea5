"""Score the results of any tool from a table: line by line, on several processes, going on where a run stopped."""

import hashlib
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from hail_mri import __version__
from hail_mri.apps.structure_maps import map_paths, write_maps
from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError, OutputExistsError
from hail_mri.evaluation.found_structures import FoundStructures
from hail_mri.evaluation.pair_measures import Measured, MeasureSettings, measure_pair
from hail_mri.evaluation.pair_table import NAMES, PairRow, read_pair_table
from hail_mri.evaluation.score_summary import summarize
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_writable_folder
from hail_mri.provenance.hashes import file_sha256
from hail_mri.provenance.sidecar import write_json

SCORES, LINES, SUMMARY, KEPT, MAPS = "scores", "lines.tsv", "summary.md", "kept", "maps"
NOT_AVAILABLE = "n/a"


@dataclass(frozen=True)
class Scored:
    """What became of a line.

    Attributes
    ----------
    row : PairRow
    numbers : tuple of mapping
        `metric`, `region`, `unit`, `value` and `reason` of each number; none where it failed.
    error : str
        Why it failed; empty where it did not.
    seconds : float
    maps : mapping of str to Path
        Of what was lost and what appeared, by metric; none where they are not wanted.
    """

    row: PairRow
    numbers: tuple[Mapping[str, Any], ...] = ()
    error: str = ""
    seconds: float = 0.0
    maps: Mapping[str, Path] = field(default_factory=dict)


def evaluate_pairs(
    table_path: Path,
    output: Path,
    settings: MeasureSettings,
    *,
    n_processes: int,
    overwrite: bool,
    step: Callable[[], None],
    save_maps: bool = False,
) -> list[Scored]:
    """Score all lines of a table, and write what was found.

    Parameters
    ----------
    table_path : Path
        See `pair_table`.
    output : Path
        Folder. `scores.tsv` (and `scores.parquet`, if pyarrow is installed) has every number of every line,
        `lines.tsv` what became of each line, `summary.md` means by method and direction. `kept/` has the numbers of
        lines that were scored, by the hashes of their files: the same command again scores what is missing or new.
    settings : MeasureSettings
    n_processes : int
    overwrite : bool
        Whether tables of an evaluation of another table or with other settings may be replaced.
    step : callable
        Called after each line.
    save_maps : bool
        Whether `maps/` gets what was lost and what appeared of each line as NIfTI; `lines.tsv` names the files.

    Returns
    -------
    scored : list of Scored
        In the order of the table. A line that cannot be scored does not stop the others.

    Raises
    ------
    HailError
        If the table cannot be read, the folder cannot be written, or holds another evaluation.
    """
    rows = read_pair_table(table_path)
    require_writable_folder(output)
    _require_same_evaluation(output, table_path, settings, overwrite=overwrite)
    score = partial(
        score_line, kept_dir=output / KEPT, settings=settings, maps_dir=output / MAPS if save_maps else None
    )
    scored = dict(_score_all(rows, score, n_processes, step))
    found = [scored[row.line] for row in rows]
    write_tables(found, output)
    return found


def _require_same_evaluation(output: Path, table_path: Path, settings: MeasureSettings, *, overwrite: bool) -> None:
    """Refuse to replace an evaluation of something else; keep what this one is of."""
    path, now = output / "evaluation.json", {"Table": str(table_path.resolve()), "Settings": asdict(settings)}
    if path.is_file() and not overwrite:
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            before = None
        if before != now:
            raise OutputExistsError(
                f"{output} holds an evaluation of something else", "give --overwrite, or another folder"
            )
    output.mkdir(parents=True, exist_ok=True)
    write_together([path], lambda hidden: write_json(now, hidden[path]))


def _score_all(
    rows: Sequence[PairRow], score: Callable[[PairRow], Scored], n_processes: int, step: Callable[[], None]
) -> Iterator[tuple[int, Scored]]:
    """Score all lines, in whatever order they are done."""
    if n_processes == 1:
        for row in rows:
            yield row.line, score(row)
            step()
        return
    # Not forked: a forked process inherits locks of threads that it does not have.
    with ProcessPoolExecutor(n_processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(score, row): row for row in rows}
        for done in as_completed(waiting):
            row = waiting[done]
            error = done.exception()
            # A process that was killed, as by a lack of memory, takes its line with it, not the evaluation.
            yield row.line, done.result() if error is None else Scored(row, error=f"{type(error).__name__}: {error}")
            step()


def score_line(row: PairRow, *, kept_dir: Path, settings: MeasureSettings, maps_dir: Path | None = None) -> Scored:
    """Score a line, or take what was kept of it; an error is what became of it."""
    start = time.perf_counter()
    try:
        row.require_files()
        key = _key(row, settings)
        path, maps = kept_dir / f"{key}.json", map_paths(maps_dir, key) if maps_dir else {}
        numbers = _read_kept(path)
        if numbers is None or not all(each.is_file() for each in maps.values()):
            found: dict[str, FoundStructures] = {}
            numbers = tuple(_columns(measure_pair(row, settings, keep=found.__setitem__)))
            write_maps(found, row, maps)
            write_together([path], lambda hidden: write_json({"numbers": numbers}, hidden[path]))
        return Scored(row, numbers, seconds=time.perf_counter() - start, maps=maps)
    except HailError as error:
        return Scored(row, error=one_line(error), seconds=time.perf_counter() - start)
    except Exception as error:  # noqa: BLE001 -- one bad line must not stop the others
        return Scored(row, error=f"{type(error).__name__}: {error}", seconds=time.perf_counter() - start)


def _columns(measured: Sequence[Measured]) -> Iterator[dict[str, Any]]:
    """Return the numbers of a line as columns."""
    for found in measured:
        value, reason = found.measurement.value, found.measurement.reason
        yield {"metric": found.metric, "region": found.region, "unit": found.unit, "value": value, "reason": reason}


def _key(row: PairRow, settings: MeasureSettings) -> str:
    """Return the hash of all that the numbers of a line depend on."""
    files = {name: file_sha256(path) for name, path in row.files.items()}
    text = json.dumps([__version__, asdict(settings), files], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _read_kept(path: Path) -> tuple[Mapping[str, Any], ...] | None:
    """Return the numbers that were kept; None if there are none that can be read."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))["numbers"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    names = {"metric", "region", "unit", "value", "reason"}
    is_ours = isinstance(held, list) and all(isinstance(number, dict) and number.keys() == names for number in held)
    return tuple(held) if is_ours else None


def write_tables(scored: Sequence[Scored], output: Path) -> None:
    """Write scores, lines and summary, all of them or none."""
    names = {line.row.line: {name: getattr(line.row, name) for name in NAMES} for line in scored}
    scores = pd.DataFrame(
        [
            {"line": line.row.line, **names[line.row.line], "direction": line.row.direction, **number}
            for line in scored
            for number in line.numbers
        ]
    )
    lines = pd.DataFrame(
        [
            {
                "line": line.row.line,
                **names[line.row.line],
                "status": "failed" if line.error else "scored",
                "message": line.error,
                "seconds": round(line.seconds, 2),
                **{f"{metric}, map": path.relative_to(output).as_posix() for metric, path in line.maps.items()},
            }
            for line in scored
        ]
    )
    paths = {name: output / name for name in (f"{SCORES}.tsv", LINES, SUMMARY)}

    def write(hidden: Mapping[Path, Path]) -> None:
        for name, table in ((f"{SCORES}.tsv", scores), (LINES, lines)):
            table.replace("", NOT_AVAILABLE).to_csv(hidden[paths[name]], sep="\t", index=False, na_rep=NOT_AVAILABLE)
        hidden[paths[SUMMARY]].write_text(summarize(scores, lines), encoding="utf-8")

    write_together(list(paths.values()), write)
    _write_parquet(scores, output / f"{SCORES}.parquet")


def _write_parquet(scores: pd.DataFrame, path: Path) -> None:
    """Write the scores once more, for those who have many."""
    if find_spec("pyarrow") is None:
        return
    if scores.empty:
        path.unlink(missing_ok=True)
        return
    write_together([path], lambda hidden: scores.to_parquet(hidden[path], index=False))
