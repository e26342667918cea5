"""What the sidecars of a BIDS scan tell of its acquisition, by the inheritance principle.

References
----------
BIDS specification 1.10, "The inheritance principle": a sidecar in a folder above tells of all scans whose names have
its entities and its suffix; what is nearer to the scan counts.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.side_files import read_json_object
from hail_mri.apps.bids.t1w_names import SUFFIX, entities_of
from hail_mri.errors import InputError

Entities = frozenset[tuple[str, str]]


class Sidecars:
    """The sidecars of a data set, each read once: one at the root tells of all scans."""

    def __init__(self) -> None:
        self._read = cache(_read)
        self._found = cache(_sidecars)

    def of(self, scan: BidsScan) -> dict[str, Any]:
        """Return what all sidecars of a scan tell together.

        Raises
        ------
        InputError
            If a sidecar is not JSON, or two of one folder tell of the scan.
        """
        told: dict[str, Any] = {}
        for folder in (scan.root, *(scan.root / parent for parent in reversed(scan.relative.parents[:-1]))):
            told |= self._told_in(folder, scan)
        return told

    def _told_in(self, folder: Path, scan: BidsScan) -> Mapping[str, Any]:
        """Return what the sidecar in one folder tells of a scan."""
        mine = [path for path, entities in self._found(folder) if entities <= set(scan.entities.items())]
        if len(mine) > 1:
            names = " and ".join(path.name for path in mine)
            raise InputError(f"{names} in {folder} both tell of {scan.path.name}, expected one of them", "remove one")
        return self._read(mine[0]) if mine else {}


def _sidecars(folder: Path) -> list[tuple[Path, Entities]]:
    """Return the sidecars of T1-weighted scans in a folder, with the entities of their names."""
    paths = sorted((*folder.glob(f"*_{SUFFIX}.json"), *folder.glob(f"{SUFFIX}.json")))
    return [(path, frozenset(entities_of(path.name).items())) for path in paths]


def _read(path: Path) -> Mapping[str, Any]:
    """Return what a sidecar tells."""
    return read_json_object(path, expected="the sidecar of a scan")
