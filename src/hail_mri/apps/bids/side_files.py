"""JSON and tables beside the scans of a BIDS data set, refused with a reason where they are not what BIDS says."""

import json
import os
from pathlib import Path
from typing import Any

from hail_mri.errors import InputError
from hail_mri.provenance.regular_file import size_of_file
from hail_mri.provenance.tables import EMPTY_CELLS, read_lines


def read_json_object(path: Path, *, expected: str) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Parameters
    ----------
    path : Path
    expected : str
        What the file is to be, for messages.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is not JSON in UTF-8, or holds something else than an object.
    """
    size_of_file(path, expected=expected)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}), expected {expected}", "repair the file") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}, expected {expected} (an object)")
    return content


def read_table(path: Path, *, key: str) -> dict[str, dict[str, str]]:
    """Read a tab-separated table.

    Parameters
    ----------
    path : Path
        With a header; not to be there is to be empty. A link that leads nowhere is there: `git annex` leaves these.
    key : str
        Column that names the rows, such as `participant_id`.

    Returns
    -------
    rows : dict of str to dict of str to str
        By the cell of `key`; cells without a value are left out.

    Raises
    ------
    MissingFileError
        If it is a link that leads nowhere.
    InputError
        If it is no such table; the message names the line.
    """
    if not os.path.lexists(path):
        return {}
    lines = read_lines(path)
    header = [name.strip() for name in lines[0][1]] if lines else []
    if header.count(key) != 1:
        raise InputError(f"{path} has the columns {', '.join(header) or 'of an empty file'}; expected one called {key}")
    rows: dict[str, dict[str, str]] = {}
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise InputError(
                f"{path}, line {number} has {len(cells)} cells, expected {len(header)} as in the header",
                "separate columns by tabs, and write n/a where there is no value",
            )
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip() not in EMPTY_CELLS}
        name = row.get(key)
        if name is None:
            raise InputError(f"{path}, line {number}: {key} is empty, expected a value")
        if name in rows:
            raise InputError(f"{path}, line {number}: {name} is there twice, expected each {key} once")
        rows[name] = row
    return rows
