"""A page for each participant beside the folders of results, as fMRIPrep has it: `sub-01.html`.

It lists the scans of the participant, what became of each, and leads to their reports.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from hail_mri.apps.result_table import read_results
from hail_mri.provenance.folder_names import RESULT_TABLE
from hail_mri.provenance.tables import NO_VALUE
from hail_mri.report.blocks import Column, badge, link, paragraph, table
from hail_mri.report.page import Section, page, write_page

COLUMNS = tuple(map(Column, ("scan", "session", "site", "target", "status", "checks", "to be known", "report")))
BADGES = {"failed": "fail", "skipped": "none"}


def write_subject_pages(output_dir: Path, subjects: Iterable[str]) -> list[Path]:
    """Write the page of each of some participants, from the table of results; a page that is there is replaced.

    Parameters
    ----------
    output_dir : Path
    subjects : iterable of str
        Labels, without `sub-`.

    Raises
    ------
    UnwritableError
        If a page cannot be written.
    """
    rows = read_results(output_dir / RESULT_TABLE)
    paths = []
    for subject in sorted(set(subjects)):
        path = output_dir / f"sub-{subject}.html"
        html = subject_page(subject, [row for row in rows if row["subject"] == subject])
        write_page(html, path, overwrite=True)
        paths.append(path)
    return paths


def subject_page(subject: str, rows: Sequence[Mapping[str, str]]) -> str:
    """Return the page of a participant, from the rows of the table of results."""
    n_done = sum(row["status"].startswith("done") for row in rows)
    sentence = f"{n_done} of {len(rows)} T1-weighted scans are harmonized."
    scans = Section("scans", "Scans", [table("Every scan of this participant", COLUMNS, list(map(_cells, rows)))])
    return page(f"sub-{subject}", [scans], lead=[paragraph(sentence)])


def _cells(row: Mapping[str, str]) -> list[str | Markup]:
    """Return a line of the table."""
    result = row["output"] if row["output"] != NO_VALUE else row["source"]
    verdict = BADGES.get(row["status"], row["verdict"])
    # The ./ keeps a name from being taken for a scheme, such as javascript:
    report = "" if row["report"] == NO_VALUE else link("open", f"./{quote(row['report'])}")
    return [
        Path(result).name,
        _text(row["session"]),
        _text(row["site"]),
        Path(_text(row["target"])).name,
        row["status"],
        badge(verdict) if verdict != NO_VALUE else "",
        _text(row["message"]),
        report,
    ]


def _text(cell: str) -> str:
    """Return what a cell of the table of results says; nothing for n/a."""
    return "" if cell == NO_VALUE else cell
