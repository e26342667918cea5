"""Score the results of any tool from a table: line by line, on several processes, going on where a run stopped."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from hail_mri.apps.evaluation_figures import draw_figures
from hail_mri.apps.score_tables import covariate_of, write_tables
from hail_mri.apps.scored_line import Scored, score_line
from hail_mri.apps.scoring_processes import score_by_processes
from hail_mri.errors import OutputExistsError
from hail_mri.evaluation.pair_measures import MeasureSettings
from hail_mri.evaluation.pair_table import PairRow, read_pair_table
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_writable_folder
from hail_mri.provenance.sidecar import write_json

KEPT, MAPS = "kept", "maps"


def evaluate_pairs(
    table_path: Path,
    output: Path,
    settings: MeasureSettings,
    *,
    n_processes: int,
    overwrite: bool,
    step: Callable[[], None],
    covariate: str | None = None,
    figures: bool = True,
    save_maps: bool = False,
) -> list[Scored]:
    """Score all lines of a table, and write what was found.

    Parameters
    ----------
    table_path : Path
        See `pair_table`.
    output : Path
        Folder. `scores.tsv` (and `scores.parquet`, if pyarrow is installed) has every number of every line,
        `lines.tsv` what became of each line, `tissues.tsv` volumes and means, `groups.tsv` the statistics of groups,
        `summary.md` the main ones, `figures/` shows them. `kept/` has the numbers of lines that were scored, by the
        hashes of their files: the same command again scores what is missing or new.
    settings : MeasureSettings
    n_processes : int
    overwrite : bool
        Whether tables of an evaluation of another table or with other settings may be replaced.
    step : callable
        Called after each line.
    covariate : str, optional
        Column whose effect should be kept; without one, age where the table has it.
    figures : bool
        Whether figures are drawn, too.
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
    covariate = covariate_of(rows, covariate)
    require_writable_folder(output)
    _require_same_evaluation(output, table_path, settings, overwrite=overwrite)
    maps_dir = output / MAPS if save_maps else None
    score = partial(score_line, kept_dir=output / KEPT, settings=settings, maps_dir=maps_dir)
    scored = dict(_score_all(rows, score, n_processes, step))
    found = [scored[row.line] for row in rows]
    write_tables(found, output, covariate=covariate)
    if figures:
        draw_figures(found, output, settings.scale)
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
    scored = map(score, rows) if n_processes == 1 else score_by_processes(rows, score, n_processes)
    for line in scored:
        yield line.row.line, line
        step()
