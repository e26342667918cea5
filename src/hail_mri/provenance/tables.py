"""Tables of tab-separated text, as people, spreadsheets and other programs leave them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

from hail_mri.errors import InputError
from hail_mri.provenance.regular_file import size_of_file

NO_VALUE = "n/a"  # as in BIDS
EMPTY_CELLS = ("", NO_VALUE)
LARGEST_TABLE_BYTES = 1 << 28
_HINT = (
    "save it again as UTF-8 text with tabs between columns; a cell that begins with a quotation mark has to "
    "end with one"
)


def read_lines(
    path: Path,
    *,
    expected: str = "a table",
    undecodable: Literal["strict", "replace"] = "strict",
    keep_blank: bool = False,
) -> list[tuple[int, list[str]]]:
    """
    Read the lines of a table, the one with the headings first.

    Parameters
    ----------
    path : Path
        Tab-separated, UTF-8; a byte order mark in front, which spreadsheets write, is no part of it.
    expected : str
        What the table should be, for messages.
    undecodable : "strict" or "replace"
        Whether a table with bytes that are no UTF-8 is refused, or has marks in their place.
    keep_blank : bool
        Whether lines with nothing in them are kept, except at the end of the file.

    Returns
    -------
    lines : list of (int, list of str)
        The number of each line in the file, from 1, and its cells as they stand.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no plain file, larger than `LARGEST_TABLE_BYTES`, or cannot be read as a table: a quotation mark that
        nothing closes would take all lines below it into its cell.
    """
    if size_of_file(path, expected=expected) > LARGEST_TABLE_BYTES:
        raise InputError(f"{path} is larger than {LARGEST_TABLE_BYTES >> 20} MiB, expected {expected}")
    try:
        with path.open(encoding="utf-8-sig", errors=undecodable, newline="") as file:
            reader = csv.reader(file, dialect="excel-tab", strict=True)
            lines = [(reader.line_num, cells) for cells in reader]
    except UnicodeDecodeError as error:
        raise InputError(f"{path} cannot be read as a table: not text in UTF-8 ({error})", _HINT) from error
    except (OSError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a table ({error})", _HINT) from error
    if not keep_blank:
        return [(number, cells) for number, cells in lines if _has_content(cells)]
    while lines and not _has_content(lines[-1][1]):
        lines.pop()
    return lines


def _has_content(cells: list[str]) -> bool:
    """Return whether there is anything in a line."""
    return any(cell.strip() for cell in cells)
