"""What of a study has to be looked at: scans without a result, checks that are not ok, outliers, unreadable files."""

from collections.abc import Sequence

from markupsafe import Markup

from hail_mri.report.blocks import badge, details, listing, paragraph, plain, subheading
from hail_mri.report.study.counts import kind_of
from hail_mri.report.study.findings import Findings
from hail_mri.report.study.names import NO_SITE, link_to_line
from hail_mri.report.study.scans import StudyScan

LONGEST = 400  # letters of a reason
BEGINNING = 150  # of them; long names come first, and the reason after them
SHOWN = 12  # of a list that is longer, the rest is shown when it is asked for


def attention(scans: Sequence[StudyScan], findings: Findings) -> list[Markup]:
    """
    Return the blocks that name every scan somebody has to look at, with the reason.

    Parameters
    ----------
    scans : sequence of StudyScan
    findings : Findings
    """
    blocks = [*_failed(scans), *_not_ok(scans), *_outliers(findings), *_unreadable(scans)]
    return blocks or [paragraph("Nothing: every scan has a result, and every check is ok.")]


def _failed(scans: Sequence[StudyScan]) -> list[Markup]:
    """Name the scans that have no result."""
    failed = [scan for scan in scans if kind_of(scan) == "failed"]
    items = [_item(scan, scan.message or "; ".join(scan.problems) or "no reason is given") for scan in failed]
    return [subheading(f"No result: {len(failed)}"), *_list(items)] if failed else []


def _not_ok(scans: Sequence[StudyScan]) -> list[Markup]:
    """Name the checks that are not ok, the worst and the most frequent first, and the scans that they are of."""
    found: dict[tuple[str, str, str], list[Markup]] = {}
    for scan in scans:
        for of, check in scan.not_ok:
            words = f"{check.found}, expected {check.expected}"
            found.setdefault((check.verdict, of.lower(), check.name), []).append(_item(scan, words))
    told = {scan.line for scan in scans if scan.not_ok}
    rest = [s for s in scans if kind_of(s) in ("check", "fail") and s.line not in told]
    for scan in rest:
        found.setdefault((scan.verdict, "", "of the table of results"), []).append(_item(scan, scan.message))
    order = sorted(found, key=lambda key: (key[0] != "fail", -len(found[key]), key))
    blocks: list[Markup] = []
    for verdict, of, name in order:
        items = found[verdict, of, name]
        heading = Markup("{} {}: {} ({} {})").format(
            badge(verdict), plain(of or "check"), plain(name), len(items), "scan" if len(items) == 1 else "scans"
        )
        blocks += [paragraph(heading), *_list(items)]
    return [subheading("Checks that are not ok"), *blocks] if blocks else []


def _outliers(findings: Findings) -> list[Markup]:
    """Name the scans that are far from the middle of their site."""
    if not findings.outliers:
        return []
    items = [
        Markup("{}: {:.1f} from the middle of {}; {:.1f} is far").format(
            link_to_line(entry.scan), distance, plain(entry.scan.site or NO_SITE), findings.limit
        )
        for entry, distance in findings.outliers
    ]
    return [subheading("Unlike the others of their site, after harmonization"), *_list(items)]


def _unreadable(scans: Sequence[StudyScan]) -> list[Markup]:
    """Name what could not be read or measured."""
    items = [_item(scan, problem) for scan in scans if kind_of(scan) != "failed" for problem in scan.problems]
    return [subheading("Could not be read or measured"), *_list(items)] if items else []


def _item(scan: StudyScan, words: str) -> Markup:
    """Return a link to a scan, and what is to be said of it; a sentence may begin with the scan's name."""
    if words.startswith(f"{scan.name} "):
        return Markup("{}{}").format(link_to_line(scan), _shortened(words.removeprefix(scan.name)))
    return Markup("{}: {}").format(link_to_line(scan), _shortened(words))


def _shortened(words: str) -> Markup:
    """Return a text; of a very long one, its beginning and its end."""
    return plain(words if len(words) <= LONGEST else f"{words[:BEGINNING]} ... {words[BEGINNING - LONGEST :]}")


def _list(items: Sequence[Markup]) -> list[Markup]:
    """Return a list, the rest of a long one folded."""
    if len(items) <= SHOWN:
        return [listing(items)]
    return [listing(items[:SHOWN]), details(f"{len(items) - SHOWN} more", [listing(items[SHOWN:])])]
