"""The section of all checks, of source, target and result, the worst first."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from hail_mri.harmonize.check import Check
from hail_mri.report.blocks import Cell, Column, badge, paragraph, table
from hail_mri.report.page import Section
from hail_mri.report.trust import NAMES, rank

COLUMNS = (
    Column("check"),
    Column("scan"),
    Column("verdict"),
    Column("found"),
    Column("expected"),
    Column("what may be wrong"),
)


def checks_section(checks: Mapping[str, Sequence[Check]]) -> Section:
    """Return the section; checks are by scan: Source, Target, Result."""
    rows = [(scan, check) for scan, of_scan in checks.items() for check in of_scan]
    blocks: list[Markup] = []
    if rows:
        ordered = sorted(rows, key=lambda row: -rank(row[1].verdict))
        blocks.append(table(f"All {len(rows)} checks", COLUMNS, [_row(scan, check) for scan, check in ordered]))
    missing = [name for scan, name in NAMES.items() if scan not in checks]
    if missing:
        blocks.append(paragraph(f"The sidecar tells of no checks of: {', '.join(missing)}.", "soft"))
    return Section("checks", "Checks", blocks)


def _row(scan: str, check: Check) -> list[Cell | str | Markup]:
    """Return a row of the table."""
    return [
        check.name,
        Cell(NAMES[scan], list(NAMES).index(scan)),
        Cell(badge(check.verdict), -rank(check.verdict)),
        check.found,
        check.expected,
        "" if check.verdict == "ok" else check.hint,
    ]
