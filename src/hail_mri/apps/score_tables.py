"""The tables of an evaluation: every number, every line, every tissue, every group, and a summary."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from hail_mri.apps.scored_line import Scored
from hail_mri.errors import InputError
from hail_mri.evaluation.group_covariate import covariate_numbers
from hail_mri.evaluation.group_means import group_means
from hail_mri.evaluation.group_number import COLUMNS, GroupNumber
from hail_mri.evaluation.group_probe import group_probes
from hail_mri.evaluation.pair_table import NAMES, PairRow
from hail_mri.evaluation.score_summary import summarize
from hail_mri.evaluation.site_scans import ProfiledLine
from hail_mri.evaluation.travelling_agreement import travelling_agreement
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.tables import NO_VALUE

SCORES, LINES, TISSUES, GROUPS, SUMMARY = "scores", "lines.tsv", "tissues.tsv", "groups", "summary.md"
USUAL_COVARIATE = "age"  # looked at wherever a table has it


def covariate_of(rows: Sequence[PairRow], wanted: str | None) -> str | None:
    """Return the column whose effect is to be kept; None if there is none.

    Parameters
    ----------
    rows : sequence of PairRow
    wanted : str or None
        Name of a column; without one, age where a table has it.

    Raises
    ------
    InputError
        If the table has no such column.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row.others))
    if wanted is None:
        return USUAL_COVARIATE if USUAL_COVARIATE in columns else None
    if wanted not in columns:
        raise InputError(
            f"the table has no column {wanted}, but {', '.join(columns) or 'none beside those of its own'}",
            "name a column of numbers, such as age",
        )
    return wanted


def write_tables(scored: Sequence[Scored], output: Path, *, covariate: str | None = None) -> None:
    """Write scores, lines, tissues, groups and summary, all of them or none.

    Parameters
    ----------
    scored : sequence of Scored
    output : Path
        Folder; tables that are there are replaced.
    covariate : str, optional
        See `covariate_of`.
    """
    scores, lines = long_scores(scored), _lines(scored, output)
    groups = list(_groups(scored, scores, covariate))
    of_groups = pd.DataFrame([number.cells for number in groups], columns=list(COLUMNS))
    tables = {
        f"{SCORES}.tsv": scores,
        LINES: lines,
        TISSUES: _tissues(scored),
        f"{GROUPS}.tsv": of_groups.astype({"n_subjects": "Int64"}),
    }
    paths = {name: output / name for name in (*tables, SUMMARY)}

    def write(hidden: Mapping[Path, Path]) -> None:
        for name, table in tables.items():
            table.replace("", NO_VALUE).to_csv(hidden[paths[name]], sep="\t", index=False, na_rep=NO_VALUE)
        hidden[paths[SUMMARY]].write_text(summarize(scores, lines, groups), encoding="utf-8")

    write_together(list(paths.values()), write)
    for name in (SCORES, GROUPS):
        _write_parquet(tables[f"{name}.tsv"], output / f"{name}.parquet")


def _groups(scored: Sequence[Scored], scores: pd.DataFrame, covariate: str | None) -> Iterator[GroupNumber]:
    """Yield all numbers of groups."""
    lines = [ProfiledLine(line.row, line.profiles) for line in scored if not line.error]
    of_covariate = covariate_numbers(lines, covariate) if covariate else ()
    return chain(group_means(scores), travelling_agreement(lines), group_probes(lines), of_covariate)


def _names(line: Scored) -> dict[str, Any]:
    """Return what tells a line from the others."""
    return {"line": line.row.line, **{name: getattr(line.row, name) for name in NAMES}}


def long_scores(scored: Sequence[Scored]) -> pd.DataFrame:
    """Return every number of every line, one a row.

    Parameters
    ----------
    scored : sequence of Scored

    Notes
    -----
    `pair` is the same for all lines of one source and one target: the first line that names them.
    """
    pairs: dict[tuple[Path, ...], int] = {}
    for line in scored:
        pairs.setdefault(_ends(line), line.row.line)
    rows = [
        _names(line) | {"pair": pairs[_ends(line)], "direction": line.row.direction, **number}
        for line in scored
        for number in line.numbers
    ]
    return pd.DataFrame(
        rows, columns=["line", *NAMES, "pair", "direction", "metric", "region", "unit", "value", "reason"]
    )


def _ends(line: Scored) -> tuple[Path, ...]:
    """Return source and target of a line."""
    return tuple(line.row.files[name] for name in ("source", "target") if name in line.row.files)


def _tissues(scored: Sequence[Scored]) -> pd.DataFrame:
    """Return volume and mean of every tissue in every scan, one a row."""
    rows = [
        _names(line)
        | {"scan": found.scan, "tissue": found.tissue, "volume_ml": round(found.volume_ml, 3), "mean": found.mean}
        for line in scored
        for found in line.profiles
    ]
    return pd.DataFrame(rows, columns=["line", *NAMES, "scan", "tissue", "volume_ml", "mean"])


def _lines(scored: Sequence[Scored], output: Path) -> pd.DataFrame:
    """Return what became of every line; maps by their paths in the folder."""
    return pd.DataFrame(
        [
            _names(line)
            | {
                "status": "failed" if line.error else "scored",
                "message": line.error or "; ".join(line.warnings),
                "segmentation": line.segmentation,
                "seconds": round(line.seconds, 2),
            }
            | {f"{metric}, map": path.relative_to(output).as_posix() for metric, path in line.maps.items()}
            for line in scored
        ]
    )


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table once more, for those who have much."""
    if find_spec("pyarrow") is None:
        return
    if table.empty:
        path.unlink(missing_ok=True)
        return
    write_together([path], lambda hidden: table.to_parquet(hidden[path], index=False))
