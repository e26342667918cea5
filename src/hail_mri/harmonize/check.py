"""What one check of a scan has found. Nothing heavy is imported: files are checked before any model is there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hail_mri.errors import InputError

Verdict = Literal["ok", "check", "fail"]


@dataclass(frozen=True)
class Check:
    """One number of a scan, and what is to be thought of it.

    Attributes
    ----------
    name : str
    verdict : "ok", "check" or "fail"
    found : str
        The number with its unit.
    expected : str
        Limits of what is ok.
    hint : str
        What may be wrong if it is not ok.
    """

    name: str
    verdict: Verdict
    found: str
    expected: str
    hint: str

    def __str__(self) -> str:
        """Return one line."""
        line = f"{self.verdict:5} {self.name}: {self.found}, expected {self.expected}"
        return line if self.verdict == "ok" else f"{line}; {self.hint}"


class ChecksFailedError(InputError):
    """Report a scan or its result that fails checks; it carries them all, for a table of many scans."""

    def __init__(self, message: str, hint: str = "", checks: Sequence[Check] = (), of_result: bool = False) -> None:
        super().__init__(message, hint)
        self.args = (message, hint, checks, of_result)  # what another process makes it of
        self.checks, self.of_result = tuple(checks), of_result


def failures(checks: Iterable[Check]) -> list[Check]:
    """Return the checks that failed."""
    return [check for check in checks if check.verdict == "fail"]


def require_checked(scan: Path | str, checks: Sequence[Check], *, force: bool) -> None:
    """Refuse a scan that fails a check, unless that is wanted.

    Parameters
    ----------
    scan : Path or str
        What it is called in the message.
    checks : sequence of Check
    force : bool

    Raises
    ------
    ChecksFailedError
        With all that failed.
    """
    failed = failures(checks)
    if failed and not force:
        found = "; ".join(
            f"{check.name} is {check.found}, expected {check.expected} ({check.hint})" for check in failed
        )
        message = f"{scan} fails {len(failed)} of {len(checks)} checks: {found}"
        raise ChecksFailedError(message, "give --force to go on", checks, isinstance(scan, str))
