"""The tables of a study: every scan with its verdict, numbers and report, and every site. Both sort."""

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from hail_mri.provenance.tables import NO_VALUE
from hail_mri.report.blocks import Cell, Column, badge, link, plain, table
from hail_mri.report.study.counts import BADGES, WORDS, count_kinds, kind_of
from hail_mri.report.study.features import Numbers
from hail_mri.report.study.findings import Findings
from hail_mri.report.study.names import NO_SITE, anchor_of, report_address
from hail_mri.report.study.scans import StudyScan
from hail_mri.report.study.survey import StudyEntry

LONGEST_REASON = 120
_ORDER = {kind: rank for rank, kind in enumerate(("failed", "fail", "check", "unchecked", "ok", "skipped"))}
_SCAN_COLUMNS = (
    Column("scan"),
    Column("site"),
    Column("subject"),
    Column("session"),
    Column("verdict"),
    Column("reason"),
    Column("grey/white before", is_number=True),
    Column("grey/white after", is_number=True),
    Column("fluid/white before", is_number=True),
    Column("fluid/white after", is_number=True),
    Column("distance in site", is_number=True),
    Column("seconds", is_number=True),
    Column("report"),
)
_SITE_COLUMNS = (
    Column("site"),
    *(Column(name, is_number=True) for name in ("subjects", "scans", "ok", "check", "fail", "failed", "skipped")),
    *_SCAN_COLUMNS[6:10],
)


def scan_table(entries: Sequence[StudyEntry], findings: Findings) -> Markup:
    """Return the table of all scans, each line with an anchor of its own."""
    distances = findings.distance_by_line
    rows = [_scan_row(entry, distances.get(entry.scan.line)) for entry in entries]
    return table("Every line of the table of results; a heading sorts by its column", _SCAN_COLUMNS, rows)


def site_table(entries: Sequence[StudyEntry]) -> Markup:
    """Return the table of sites: what became of their scans, and the medians of their ratios."""
    sites: dict[str, list[StudyEntry]] = {}
    for entry in sorted(entries, key=lambda e: (not e.scan.site, e.scan.site)):
        sites.setdefault(entry.scan.site or NO_SITE, []).append(entry)
    rows = [_site_row(site, of_site) for site, of_site in sites.items()]
    return table("Every site; ratios are medians over its scans", _SITE_COLUMNS, rows)


def ratio(numbers: Numbers, tissue: str) -> float:
    """Return the median intensity of a tissue by that of white matter; NaN where there is none.

    Examples
    --------
    >>> ratio({"white_matter_median": 50.0, "csf_median": 10.0}, "csf")
    0.2
    """
    white = numbers.get("white_matter_median", math.nan)
    return numbers.get(f"{tissue}_median", math.nan) / white if white > 0 else math.nan


def _scan_row(entry: StudyEntry, distance: float | None) -> list[Cell | str | Markup]:
    """Return the cells of one scan."""
    scan, measures = entry.scan, entry.measures
    kind = kind_of(scan)
    address = report_address(scan)
    name = Markup('<span id="{}">{}</span>').format(anchor_of(scan), plain(scan.name))
    return [
        Cell(name, scan.name),
        scan.site or NO_VALUE,
        scan.subject or NO_VALUE,
        scan.session or NO_VALUE,
        Cell(badge(BADGES.get(kind, ""), WORDS[kind]), _ORDER[kind]),
        _reason(scan),
        *(number_cell(ratio(state, "grey_matter"), 3) for state in (measures.before, measures.after)),
        *(number_cell(ratio(state, "csf"), 3) for state in (measures.before, measures.after)),
        number_cell(math.nan if distance is None else distance, 2),
        _seconds(scan),
        Cell(link("report", address) if address else NO_VALUE, "" if address else NO_VALUE),
    ]


def _site_row(site: str, entries: Sequence[StudyEntry]) -> list[Cell | str]:
    """Return the cells of one site."""
    counts = count_kinds([entry.scan for entry in entries])
    subjects = {entry.scan.subject for entry in entries if entry.scan.subject}
    ratios = []
    for tissue in ("grey_matter", "csf"):
        for states in ([e.measures.before for e in entries], [e.measures.after for e in entries]):
            known = [value for value in (ratio(state, tissue) for state in states) if math.isfinite(value)]
            ratios.append(number_cell(float(np.median(known)) if known else math.nan, 3))
    shown = (counts[kind] for kind in ("ok", "check", "fail", "failed", "skipped"))
    return [site, str(len(subjects)), str(len(entries)), *map(str, shown), *ratios]


def number_cell(value: float, digits: int) -> Cell:
    """Return a number as a cell; n/a, which is sorted last, where there is none."""
    return Cell(f"{value:.{digits}f}", value) if math.isfinite(value) else Cell(NO_VALUE, "~")


def _seconds(scan: StudyScan) -> Cell:
    """Return the time that a scan took, if the table tells it in numbers."""
    try:
        return number_cell(float(scan.seconds or "nan"), 1)
    except ValueError:
        return Cell(scan.seconds)


def _reason(scan: StudyScan) -> Cell:
    """Return why a scan is not simply ok: checks by their names, or what was said, the beginning of it."""
    checks = [f"{of.lower()}: {check.name}" for of, check in scan.not_ok]
    words = "; ".join([*(checks or filter(None, [scan.message])), *scan.problems])
    shown = words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON]} ..."
    return Cell(Markup('<span class="reason">{}</span>').format(plain(shown)), words)
