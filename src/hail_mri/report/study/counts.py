"""What became of the scans of a study: how many of each kind, and the sentence above all."""

from collections.abc import Sequence
from typing import Literal

from hail_mri.report.study.scans import StudyScan

Kind = Literal["ok", "check", "fail", "unchecked", "failed", "skipped"]
KINDS: tuple[Kind, ...] = ("ok", "check", "fail", "unchecked", "failed", "skipped")
WORDS: dict[Kind, str] = {
    "ok": "done, ok",
    "check": "done, check",
    "fail": "done, but fails",
    "unchecked": "done, not checked",
    "failed": "failed",
    "skipped": "skipped",
}
BADGES: dict[Kind, str] = {"ok": "ok", "check": "check", "fail": "fail", "failed": "fail"}


def kind_of(scan: StudyScan) -> Kind:
    """Return what became of a scan; one whose result is not there, or has a status of nobody's, failed."""
    if scan.status == "skipped":
        return "skipped"
    if not scan.is_done or scan.result is None:
        return "failed"
    return {"ok": "ok", "check": "check", "fail": "fail"}.get(scan.verdict, "unchecked")  # type: ignore[return-value]


def count_kinds(scans: Sequence[StudyScan]) -> dict[Kind, int]:
    """Return how many scans of each kind there are, none left out."""
    kinds = [kind_of(scan) for scan in scans]
    return {kind: kinds.count(kind) for kind in KINDS}


def verdict_sentence(scans: Sequence[StudyScan], n_outliers: int) -> tuple[str, str]:
    """Return the verdict of a study, ok, check or fail, and the sentence that says so.

    Parameters
    ----------
    scans : sequence of StudyScan
    n_outliers : int
        Results that look unlike the others of their site.
    """
    counts = count_kinds(scans)
    n_wanted = len(scans) - counts["skipped"]
    n_done = n_wanted - counts["failed"]
    if not n_wanted:
        return "check", "The table of results lists no scan that was to be harmonized."
    parts = [f"{n_done} of {n_wanted} {_plural('scan was', 'scans were', n_wanted)} harmonized."]
    if counts["failed"]:
        parts.append(f"{counts['failed']} {_plural('has', 'have', counts['failed'])} no result.")
    if counts["fail"]:
        parts.append(
            f"{counts['fail']} {_plural('fails', 'fail', counts['fail'])} a check and "
            f"{_plural('is', 'are', counts['fail'])} not to be used without a reason."
        )
    if counts["check"]:
        parts.append(f"{counts['check']} {_plural('is', 'are', counts['check'])} worth a look.")
    if n_outliers:
        parts.append(f"{n_outliers} {_plural('looks', 'look', n_outliers)} unlike the others of the site.")
    n_problems = sum(bool(scan.problems) for scan in scans if kind_of(scan) != "failed")
    if n_problems:
        parts.append(f"Of {n_problems} not everything could be read.")
    if len(parts) == 1 and counts["ok"] == n_done:
        parts.append("All checks are ok.")
    if counts["failed"] or counts["fail"]:
        return "fail", " ".join(parts)
    doubts = counts["check"] or counts["unchecked"] or n_outliers or n_problems
    return "check" if doubts else "ok", " ".join(parts)


def _plural(one: str, many: str, n: int) -> str:
    """Return the word for one, or for many."""
    return one if n == 1 else many
