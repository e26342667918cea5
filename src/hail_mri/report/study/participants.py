"""The people of a study: their sites and covariates, from a table as BIDS has it (`participants.tsv`)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.provenance.regular_file import size_of_file
from hail_mri.report.study.result_rows import NOT_AVAILABLE

KEY = "participant_id"
SITE = "site"
LARGEST_TABLE_BYTES = 1 << 26


@dataclass(frozen=True)
class Participants:
    """Sites and covariates of subjects.

    Attributes
    ----------
    sites : mapping of str to str
        By subject, without `sub-`; only those that are known.
    covariates : mapping of str to mapping of str to str
        By subject, all columns but those two, in the order of the table; n/a where nothing is known.
    names : tuple of str
        Of the covariates.
    """

    sites: Mapping[str, str] = field(default_factory=dict)
    covariates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def read_participants(path: Path) -> Participants:
    """Read a table of participants.

    Parameters
    ----------
    path : Path
        Tab-separated, UTF-8, with the column `participant_id`, and `site` if sites are wanted.

    Raises
    ------
    MissingFileError, InputError
        If there is no such table, it cannot be read, or a participant is in it twice.
    """
    if size_of_file(path, expected="a table of participants") > LARGEST_TABLE_BYTES:
        raise InputError(f"{path} is larger than {LARGEST_TABLE_BYTES >> 20} MiB, expected a table of participants")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [[cell.strip() for cell in cells] for cells in csv.reader(file, dialect="excel-tab") if cells]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a table ({error})", "save it again as UTF-8") from error
    header = lines[0] if lines else []
    if header.count(KEY) != 1 or len(set(header)) != len(header):
        raise InputError(
            f"{path} has the columns {', '.join(header) or 'none'}; expected {KEY} and others, each once",
            "separate columns by tabs and put their names in the first row",
        )
    sites: dict[str, str] = {}
    covariates: dict[str, dict[str, str]] = {}
    names = tuple(name for name in header if name not in (KEY, SITE) and name)
    for cells in lines[1:]:
        row = dict(zip(header, cells, strict=False))
        subject = row[KEY].removeprefix("sub-")
        if subject in covariates:
            raise InputError(f"{path} has {row[KEY]} twice, expected each participant once", "remove one of the rows")
        covariates[subject] = {name: row.get(name) or NOT_AVAILABLE for name in names}
        if row.get(SITE, "") not in ("", NOT_AVAILABLE):
            sites[subject] = row[SITE]
    return Participants(sites, covariates, names)
