"""The rows of a table of results, as whoever wrote it left them: older tables have fewer columns, editors add lines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.provenance.folder_names import RESULT_TABLE
from hail_mri.provenance.tables import EMPTY_CELLS, read_lines

REQUIRED_COLUMNS = ("source", "output", "status")


@dataclass(frozen=True)
class ResultRow:
    """One line of a table of results.

    Attributes
    ----------
    line : int
        Where it stands in the file, counted as an editor counts lines.
    cells : mapping of str to str
        By the name of the column, stripped; without what is empty or n/a.
    problem : str
        What is wrong with the line; empty if nothing is.
    """

    line: int
    cells: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def get(self, column: str) -> str:
        """Return a cell; nothing where there is none."""
        return self.cells.get(column, "")


def read_result_rows(table_path: Path) -> list[ResultRow]:
    """Read a table of results.

    Parameters
    ----------
    table_path : Path
        Tab-separated, UTF-8, with a header that has at least `REQUIRED_COLUMNS`; columns in any order.

    Returns
    -------
    rows : list of ResultRow
        A line that has not as many cells as the header is among them, with its problem and the cells that it has.

    Raises
    ------
    MissingFileError
        If there is no such table.
    InputError
        If it is not such a table.
    """
    # A name that is no UTF-8 is one wrong cell.
    lines = read_lines(table_path, expected="a table of results", undecodable="replace")
    header = [name.strip() for name in lines[0][1]] if lines else []
    if any(header.count(name) != 1 for name in REQUIRED_COLUMNS):
        found = f"the columns {', '.join(header)}" if header else "no line"
        raise InputError(
            f"{table_path} has {found}; expected {', '.join(REQUIRED_COLUMNS)}, each once",
            f"give the folder in which hail-mri harmonize left its {RESULT_TABLE}",
        )
    return [_row(line, header, cells) for line, cells in lines[1:]]


def _row(line: int, header: list[str], cells: list[str]) -> ResultRow:
    """Return one line, with whatever of it fits the header."""
    named = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
    known = {name: cell for name, cell in named.items() if cell not in EMPTY_CELLS}
    right = len(cells) == len(header)
    return ResultRow(line, known, "" if right else f"it has {len(cells)} cells, the header {len(header)}")
