"""Where the report of a result lies, and whether it is of that result: it tells the SHA-256 of what it was made of."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Literal

from hail_mri.errors import HailError
from hail_mri.provenance.environment import DISTRIBUTION
from hail_mri.provenance.hashes import file_sha256
from hail_mri.provenance.regular_file import size_of_file
from hail_mri.provenance.sidecar import sidecar_path

SUFFIX = "_report.html"
ReportState = Literal["missing", "current", "stale", "other"]

_HEAD_BYTES = 4096  # of a page, where it tells what wrote it, and of which result
_MAKER = f'<meta name="generator" content="{DISTRIBUTION} '
_RESULT = re.compile(r'<meta name="result-sha256" content="([0-9a-f]{64})">')


def scan_report_path(result: Path) -> Path:
    """
    Return where the report of a result goes.

    Examples
    --------
    >>> scan_report_path(Path("out/a_T1w.nii.gz")).name
    'a_T1w_report.html'
    """
    return sidecar_path(result).with_name(sidecar_path(result).name.removesuffix(".json") + SUFFIX)


def report_state(result: Path) -> ReportState:
    """
    Return what lies where the report of a result goes.

    Parameters
    ----------
    result : Path
        It is there.

    Returns
    -------
    ReportState
        "current" is a report of the result as it is, "stale" one of another result, or of a version that did not tell
        of which; "other" is what we did not write.
    """
    head = _head(scan_report_path(result))
    if head is None:
        return "missing"
    if _MAKER not in head:
        return "other"
    return "current" if _told(head) == file_sha256(result) else "stale"


def remove_stale_report(result: Path) -> None:
    """Remove the report of the result that was here before this one; where it cannot be removed, its hash tells."""
    path = scan_report_path(result)
    told = _told(_head(path) or "")
    if told and told != file_sha256(result):
        with suppress(OSError):
            path.unlink()


def _head(path: Path) -> str | None:
    """Return the start of a file; None if there is no file, nothing if it cannot be read."""
    if not path.is_symlink() and not path.exists():
        return None
    try:
        size_of_file(path)
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES).decode("utf-8", "replace")
    except (OSError, HailError):
        return ""


def _told(head: str) -> str:
    """Return the hash of the result that a report is of; nothing if it tells none."""
    found = _RESULT.search(head)
    return "" if found is None else found[1]
