"""How scans are called on the page, and where a link to them leads."""

from urllib.parse import quote

from markupsafe import Markup

from hail_mri.report.blocks import link
from hail_mri.report.study.scans import StudyScan

NO_SITE = "site not known"


def anchor_of(scan: StudyScan) -> str:
    """Return where a scan's line of the table is, unique on the page."""
    return f"scan-{scan.line}"


def short_name(scan: StudyScan) -> str:
    """Return subject and session, or the file's name where they are not known."""
    if not scan.subject:
        return scan.name
    return f"{scan.subject}, {scan.session}" if scan.session else scan.subject


def link_to_line(scan: StudyScan) -> Markup:
    """Return a link to a scan's line in the table of scans, by the name of its file."""
    return link(scan.name, f"#{anchor_of(scan)}")


def report_address(scan: StudyScan) -> str:
    """Return the address of a scan's own report, relative to the page; empty if there is none.

    Notes
    -----
    It starts with `./`, so that no name can be taken for a scheme, such as `javascript:`.
    """
    return f"./{quote(scan.report)}" if scan.report else ""
