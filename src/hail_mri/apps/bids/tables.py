"""What the tables of a BIDS data set tell of a scan: `participants.tsv`, `*_sessions.tsv` and `*_scans.tsv`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.side_files import read_table

PARTICIPANTS = "participants.tsv"


class Tables:
    """The tables of a data set, each read once."""

    def __init__(self) -> None:
        self._read = cache(_read)

    def value(self, scan: BidsScan, column: str) -> str:
        """Return a scan's value in a column, from the first table that has one; empty if none has.

        The table of scans comes first, then that of sessions, then that of participants.

        Raises
        ------
        InputError
            If a table is not one.
        """
        return next((row[column] for row in self._rows(scan) if column in row), "")

    def of_participant(self, scan: BidsScan) -> Mapping[str, str]:
        """Return the row of `participants.tsv` for a scan's subject; nothing if there is none."""
        return self._read(scan.root / PARTICIPANTS, "participant_id").get(f"sub-{scan.subject}", {})

    def _rows(self, scan: BidsScan) -> list[Mapping[str, str]]:
        """Return the rows that tell of a scan, the most particular first."""
        subject = f"sub-{scan.subject}"
        session = f"ses-{scan.session}" if scan.session else ""
        folder = scan.root / subject / session
        start = "_".join(filter(None, (subject, session)))
        scans = self._read(folder / f"{start}_scans.tsv", "filename")
        sessions = self._read(scan.root / subject / f"{subject}_sessions.tsv", "session_id")
        name = scan.path.relative_to(folder).as_posix()
        return [scans.get(name, {}), sessions.get(session, {}), self.of_participant(scan)]


def _read(path: Path, key: str) -> dict[str, dict[str, str]]:
    """Return the rows of a table, by a column."""
    return read_table(path, key=key)
