"""Scores as tables: of plain text for terminals and logs, and as TSV files, which are read again as written.

What could not be measured is n/a in both.

References
----------
Gorgolewski et al., Sci Data 3:160044 (2016), and the BIDS specification 1.10, tabular files: tabs between columns,
snake_case headings, n/a for what is not available.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.evaluation.score import Score
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.tables import NO_VALUE, read_lines

_PRINTED = {  # heading and number format in plain text
    "psnr_head": ("PSNR head dB", ".1f"),
    "ssim_head": ("SSIM head", ".4f"),
    "psnr_brain": ("PSNR brain dB", ".1f"),
    "ssim_brain": ("SSIM brain", ".4f"),
    "nwd_ip": ("nWD(i,p) %", ".1f"),
    "nwd_tp": ("nWD(t,p) %", ".1f"),
}
_COLUMNS = ("method", *_PRINTED)  # of a TSV file
_GAP = "  "


def format_scores(scores: Sequence[Score]) -> str:
    """Return scores as a table, one method a line.

    Parameters
    ----------
    scores : sequence of Score

    Examples
    --------
    >>> print(format_scores([Score("hail-mri", 33.41, 0.97, None, None, 95.0, 12.34)]))
    method    PSNR head dB  SSIM head  PSNR brain dB  SSIM brain  nWD(i,p) %  nWD(t,p) %
    hail-mri          33.4     0.9700            n/a         n/a        95.0        12.3
    """
    headings = ("method", *(heading for heading, _ in _PRINTED.values()))
    rows = []
    for score in scores:
        values = asdict(score)
        rows.append([score.method, *(_cell(values[name], spec) for name, (_, spec) in _PRINTED.items())])
    return format_table(headings, rows)


def write_scores(scores: Sequence[Score], path: Path, *, overwrite: bool = False) -> None:
    """Write scores as a TSV file, one method a line, with all digits.

    Parameters
    ----------
    scores : sequence of Score
    path : Path
        A folder that is missing is made.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    InputError, OutputExistsError, UnwritableError
        If the file is a folder, exists, or cannot be written.
    """
    require_file_free(path, overwrite=overwrite)

    def write(hidden: Mapping[Path, Path]) -> None:
        with hidden[path].open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS, delimiter="\t", lineterminator="\n")
            writer.writeheader()
            for score in scores:
                cells = {name: NO_VALUE if v is None else v for name, v in asdict(score).items()}
                writer.writerow(cells)

    write_together([path], write)


def read_scores(path: Path) -> list[Score]:
    """Read scores that `write_scores` has written.

    Parameters
    ----------
    path : Path

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no table of scores; the message names the line and what is wrong with it.
    """
    lines = read_lines(path, expected="a table of scores (TSV)")
    heading = lines[0][1] if lines else []
    if tuple(heading) != _COLUMNS:
        raise InputError(
            f"{path} has the columns {', '.join(heading) or 'none'}, expected {', '.join(_COLUMNS)}",
            hint="give a TSV file of scores, with tabs between the columns",
        )
    return [_score(cells, f"{path}, line {number}") for number, cells in lines[1:]]


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align cells under their headings: the first column to the left, the others to the right.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequence of str
        Each as long as the headings.

    Examples
    --------
    >>> print(format_table(("stage", "seconds"), [("read", "0.31"), ("network", "12.00")]))
    stage    seconds
    read        0.31
    network    12.00
    """
    lines = [headings, *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        _GAP.join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _cell(value: float | None, spec: str) -> str:
    """Print a number, or that there is none."""
    return NO_VALUE if value is None else format(value, spec)


def _score(cells: Sequence[str], where: str) -> Score:
    """Read one line, or say what is wrong with it and where."""
    if len(cells) != len(_COLUMNS):
        raise InputError(f"{where} has {len(cells)} cells, expected {len(_COLUMNS)}", hint="one cell a column")
    method, *numbers = cells
    try:
        values = [None if cell == NO_VALUE else float(cell) for cell in numbers]
        return Score(method, **dict(zip(_PRINTED, values, strict=True)))
    except ValueError as error:  # no number, or NaN
        raise InputError(
            f"{where} has {', '.join(numbers)}, expected numbers or {NO_VALUE}", hint="correct the line"
        ) from error
