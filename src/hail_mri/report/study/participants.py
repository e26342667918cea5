"""The people of a study: their sites and covariates, from a table as BIDS has it (`participants.tsv`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.provenance.tables import EMPTY_CELLS, NO_VALUE, read_lines

KEY = "participant_id"
SITE = "site"


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
    lines = [[cell.strip() for cell in cells] for _, cells in read_lines(path, expected="a table of participants")]
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
        covariates[subject] = {name: row.get(name) or NO_VALUE for name in names}
        if row.get(SITE, "") not in EMPTY_CELLS:
            sites[subject] = row[SITE]
    return Participants(sites, covariates, names)
