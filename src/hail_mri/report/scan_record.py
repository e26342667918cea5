"""What the sidecar of a result tells, as a report reads it: anybody may have edited it, so nothing in it is relied on.

Texts are escaped by the page. What is of another kind than we write is left out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hail_mri.errors import MissingFileError
from hail_mri.harmonize.check import Check
from hail_mri.provenance.environment import DISTRIBUTION
from hail_mri.provenance.sidecar import read_sidecar, sidecar_path

SCANS = ("Source", "Target", "Result")  # whose checks a sidecar may hold


@dataclass(frozen=True)
class ScanRecord:
    """A sidecar.

    Attributes
    ----------
    told : mapping of str to Any
        All of it.
    folder : Path
        That its paths are relative to.
    """

    told: Mapping[str, Any]
    folder: Path

    @property
    def checks(self) -> dict[str, tuple[Check, ...]]:
        """The checks of each scan; a result of an earlier version has none of its own."""
        found = self.part("Checks")
        return {scan: tuple(_checks(found[scan])) for scan in SCANS if scan in found}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was warned of."""
        warnings = self.told.get("Warnings")
        return tuple(map(shown, warnings)) if isinstance(warnings, list) else ()

    @property
    def settings(self) -> dict[str, Any]:
        """The choices of the run."""
        return self.part("Settings")

    @property
    def strength(self) -> float:
        """How much was changed, 0 to 1."""
        strength = self.settings.get("strength")
        return float(strength) if isinstance(strength, int | float) and 0 <= strength <= 1 else 1.0

    @property
    def version(self) -> str:
        """Of hail-mri, when the result was made."""
        return shown(self.part("Versions").get(DISTRIBUTION, "(version unknown)"))

    def part(self, name: str) -> dict[str, Any]:
        """Return an object of the sidecar by its name; an empty one if there is none."""
        found = self.told.get(name)
        return dict(found) if isinstance(found, dict) else {}

    def path(self, name: str) -> Path | None:
        """Return where a file that it names would be; None if it names none, or the file is not there."""
        told = self.told.get(name)
        if not isinstance(told, str) or not told or "\0" in told:
            return None
        path = self.folder / told
        try:
            return path if path.is_file() else None
        except OSError:  # a name that is too long
            return None


def read_record(result: Path) -> ScanRecord:
    """
    Read the sidecar of a result.

    Raises
    ------
    MissingFileError
        If there is none that can be read.
    """
    told = read_sidecar(result)
    if not told:
        raise MissingFileError(
            f"{result} has no sidecar that can be read, expected {sidecar_path(result).name} beside it",
            "harmonize the scan again",
        )
    return ScanRecord(told, result.parent)


def shown(value: Any) -> str:
    """Return any value of a sidecar as text."""
    if value is None:
        return "n/a"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _checks(entries: Any) -> list[Check]:
    """Return checks of what a sidecar holds for one scan."""
    names = [field.name for field in fields(Check)]
    dicts = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    texts: list[dict[str, Any]] = [{name: shown(entry.get(name, "")) for name in names} for entry in dicts]
    return [Check(**entry) for entry in texts]
