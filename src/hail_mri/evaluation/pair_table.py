"""A table of results to score: PAIRS.tsv, one harmonized scan a line, whoever made it.

Columns are separated by tabs, paths are taken from the folder of the table, and n/a or nothing stands for what is not
there. What is wrong with one line is told of that line, and the others are scored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hail_mri.errors import InputError, MissingFileError
from hail_mri.provenance.tables import EMPTY_CELLS, read_lines

SCANS = ("source", "target", "harmonized")
LABEL_MAPS = ("labels", "target_labels", "harmonized_labels", "known_labels")
OPTIONAL_FILES = (
    "truth",
    "brain_mask",
    "target_brain_mask",
    *LABEL_MAPS,
    "lesion_mask",
)
NAMES = ("method", "subject", "site", "target_site")


@dataclass(frozen=True)
class PairRow:
    """A line of the table.

    Attributes
    ----------
    line : int
        Of the file, counted from 1, the headings being the first.
    files : mapping of str to Path
        By column: source, target and harmonized, and of the optional ones those that are given.
    method, subject, site, target_site : str
        Empty where not given.
    others : mapping of str to str
        All other columns as they stand, such as age; empty where there is nothing.
    """

    line: int
    files: Mapping[str, Path] = field(hash=False)
    method: str = ""
    subject: str = ""
    site: str = ""
    target_site: str = ""
    others: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def direction(self) -> str:
        """From which site to which, such as A to B; empty where that is not known."""
        return f"{self.site} to {self.target_site}" if self.site and self.target_site else ""

    def require_files(self) -> None:
        """Refuse a line that cannot be scored.

        Raises
        ------
        InputError
            If a scan is not named.
        MissingFileError
            If a file is not there.
        """
        if unnamed := [name for name in SCANS if name not in self.files]:
            raise InputError(f"there is no {' and no '.join(unnamed)}", "fill in the cell, or take the line out")
        for name, path in self.files.items():
            if not path.is_file():
                raise MissingFileError(
                    f"no {name.replace('_', ' ')} at {path}", "paths are taken from the table's folder"
                )


def read_pair_table(path: str | Path) -> tuple[PairRow, ...]:
    """Read a table of results.

    Parameters
    ----------
    path : path
        UTF-8, tab-separated, with headings: `SCANS`, and any of `OPTIONAL_FILES` and `NAMES`; other columns are kept
        as they stand.

    Returns
    -------
    rows : tuple of PairRow
        Whether their files are there is not looked at: see `PairRow.require_files`.

    Raises
    ------
    MissingFileError
        If there is no such table.
    InputError
        If it cannot be read as a table, a column is missing or there twice, or there is no line.
    """
    path = Path(path)
    lines = read_lines(path, expected="a table of pairs")
    headings = [heading.strip() for heading in lines[0][1]] if lines else []
    _require_headings(path, headings)
    rows = tuple(_row(path.parent, number, dict(zip(headings, cells, strict=False))) for number, cells in lines[1:])
    if not rows:
        raise InputError(f"{path} has no line below its headings", "name a source, a target and a result in each")
    return rows


def _require_headings(path: Path, headings: list[str]) -> None:
    """Refuse a table without the columns that every line needs."""
    if missing := [name for name in SCANS if name not in headings]:
        raise InputError(
            f"{path} has no column {', '.join(missing)}, but {', '.join(headings) or 'none at all'}",
            "columns are separated by tabs, and their names stand in the first line",
        )
    if twice := sorted({name for name in headings if headings.count(name) > 1}):
        raise InputError(f"{path} has the column {', '.join(twice)} twice", "leave one")


def _row(folder: Path, line: int, cells: Mapping[str, str]) -> PairRow:
    """Return a line as it stands."""
    values = {name: cells.get(name, "").strip() for name in (*SCANS, *OPTIONAL_FILES, *NAMES)}
    given = {name: value for name, value in values.items() if value not in EMPTY_CELLS}
    files = {name: folder / given[name] for name in (*SCANS, *OPTIONAL_FILES) if name in given}
    others = {
        name: "" if (text := cell.strip()) in EMPTY_CELLS else text
        for name, cell in cells.items()
        if name not in values
    }
    return PairRow(line, files, **{name: given.get(name, "") for name in NAMES}, others=others)
