"""Targets that are among the test subjects of a study: what is measured on these is not independent of them then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hail_mri.errors import HailError
from hail_mri.provenance.hashes import InputFile
from hail_mri.provenance.links import real_path

SPLIT_COLUMN = "split"
TEST = "test"  # what the column says of scans that a study is judged by


@dataclass(frozen=True)
class SplitScan:
    """A scan of a study; its subject is empty where it is not known."""

    path: Path
    subject: str
    is_test: bool


def is_test(split: str) -> bool:
    """Return whether a cell of the column says that a scan is one that a study is judged by."""
    return split.lower() == TEST


def leaks(scans: Sequence[SplitScan], target: Path) -> list[Path]:
    """Return the test scans that a target gives away: they are the target, or another scan of its subject.

    Parameters
    ----------
    scans : sequence of SplitScan
    target : Path
        Known again by its place, and by its content wherever it lies.
    """
    same = {scan.path for scan in scans if _is_same_file(scan.path, target)}
    subjects = {scan.subject for scan in scans if scan.path in same} - {""}
    return [scan.path for scan in scans if scan.is_test and (scan.path in same or scan.subject in subjects)]


def leak_warnings(scans: Sequence[SplitScan], targets: Iterable[Path]) -> list[str]:
    """Return a warning for each target that gives away test scans; each target is looked at once."""
    if not any(scan.is_test for scan in scans):
        return []
    found = {target: leaks(scans, target) for target in dict.fromkeys(targets)}
    return [
        f"the target {target} is among the test subjects: {tested[0]} is the same scan or of the same subject. What is "
        "measured on test subjects will look better than it is; take a target of another subject."
        for target, tested in found.items()
        if tested
    ]


def _is_same_file(one: Path, other: Path) -> bool:
    """Return whether two files are one, or have the same content; those that cannot be read are no such files."""
    try:
        if real_path(one) == real_path(other):
            return True
        if one.stat().st_size != other.stat().st_size:
            return False
        return InputFile.read(one).sha256 == InputFile.read(other).sha256
    except (OSError, ValueError, HailError):
        return False
