"""The regional features of a study as a table that tools for features take, such as neuroHarmonize and neuroCombat.

One row a scan: its name, subject, session and `SITE` (the batch, as neuroHarmonize calls it), covariates, and each
feature twice, before and after, with the ending that says so. What there is no number of is n/a.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.provenance.tables import NO_VALUE
from hail_mri.report.study.features import Numbers, feature_names
from hail_mri.report.study.participants import Participants
from hail_mri.report.study.survey import StudyEntry

BATCH = "SITE"
KEYS = ("scan", "subject", "session", BATCH)
STATES = ("before", "after")
DIGITS = 7  # significant ones: those of float32


def write_features(entries: Sequence[StudyEntry], participants: Participants, path: Path, *, overwrite: bool) -> int:
    """
    Write the features of all scans that could be measured.

    Parameters
    ----------
    entries : sequence of StudyEntry
    participants : Participants
        Whose covariates are copied.
    path : Path
        Tab-separated, UTF-8.
    overwrite : bool
        Replace a file that exists.

    Returns
    -------
    n_scans : int
        Rows that were written.

    Raises
    ------
    InputError
        If no scan could be measured, or a covariate is called like a column of ours.
    OutputExistsError, UnwritableError
        If the file is there and is not to be replaced, or cannot be written.
    """
    require_file_free(path, overwrite=overwrite)
    columns = [*KEYS, *participants.names, *(f"{name}_{state}" for state in STATES for name in feature_names())]
    repeated = sorted({name for name in participants.names if columns.count(name) > 1})
    if repeated:
        raise InputError(
            f"the participants' columns {', '.join(repeated)} are called like columns of features",
            "give them other names",
        )
    rows = [_row(entry, participants) for entry in entries if entry.measures.before]
    if not rows:
        raise InputError("no scan could be measured before and after", "look at the report: it names the reasons")

    def write(hidden: Mapping[Path, Path]) -> None:
        with hidden[path].open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, dialect="excel-tab", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    write_together([path], write)
    return len(rows)


def _row(entry: StudyEntry, participants: Participants) -> dict[str, str]:
    """Return the cells of one scan."""
    scan, measures = entry.scan, entry.measures
    known = participants.covariates.get(scan.subject, {})
    keys = (scan.name, scan.subject or NO_VALUE, scan.session or NO_VALUE, scan.site or NO_VALUE)
    covariates = {name: known.get(name, NO_VALUE) for name in participants.names}
    numbers = _cells(measures.before, "before") | _cells(measures.after, "after")
    return dict(zip(KEYS, keys, strict=True)) | covariates | numbers


def _cells(numbers: Numbers, state: str) -> dict[str, str]:
    """Return features as text."""
    return {
        f"{name}_{state}": f"{value:.{DIGITS}g}" if math.isfinite(value) else NO_VALUE
        for name, value in numbers.items()
    }
