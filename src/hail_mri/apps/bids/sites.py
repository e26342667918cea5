"""At which site each scan of a data set was made: from the tables of BIDS, or from the scanner that sidecars tell of.

A site is a name. By default it is the column `site` of `*_scans.tsv`, `*_sessions.tsv` or `participants.tsv`, the first
of them that has a value; where no table has one, manufacturer, model, field strength and institution together.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.metadata import Sidecars
from hail_mri.apps.bids.tables import Tables
from hail_mri.apps.terminal import one_line
from hail_mri.errors import HailError, InputError

COLUMN = "site"
SESSION = "session"
TOGETHER = "+"
# What may be asked for of the scanner, and the key of the sidecar that tells it.
SCANNER = {
    "manufacturer": "Manufacturer",
    "model": "ManufacturersModelName",
    "field-strength": "MagneticFieldStrength",
    "institution": "InstitutionName",
}


@dataclass(frozen=True)
class Sites:
    """At which site scans were made.

    Attributes
    ----------
    of_scan : mapping of BidsScan to str
        Empty where nothing tells.
    told_by : str
        What told it, in words.
    unreadable : mapping of BidsScan to str
        Scans whose tables or sidecars cannot be read, which are not in `of_scan`: why not.
    """

    of_scan: Mapping[BidsScan, str]
    told_by: str
    unreadable: Mapping[BidsScan, str] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Return how many scans each site has, ordered by name; without those of unknown site."""
        counts = Counter(site for site in self.of_scan.values() if site)
        return dict(sorted(counts.items()))

    def scans_of(self, site: str) -> list[BidsScan]:
        """Return the scans of a site.

        Raises
        ------
        InputError
            If there is no such site.
        """
        scans = [scan for scan, name in self.of_scan.items() if name == site]
        if not scans:
            names = ", ".join(f"{name} ({n} scans)" for name, n in self.counts().items()) or "none"
            raise InputError(
                f"no site is called {site!r}; the data set has {names}, by {self.told_by}", "see --site-from"
            )
        return scans


def find_sites(scans: Sequence[BidsScan], tables: Tables, site_from: str | None = None) -> Sites:
    """Tell the site of each scan.

    Parameters
    ----------
    scans : sequence of BidsScan
    tables : Tables
    site_from : str or None
        `manufacturer`, `model`, `field-strength`, `institution`, or several with `+` between; `session`, where subjects
        travelled and a session is a site; or the name of a column of the tables. None as the module says.

    Raises
    ------
    InputError
        If no scan has a value there, or tables or sidecars of none can be read.
    """
    sidecars = Sidecars()
    if site_from is None:
        by_column = _told(scans, lambda scan: tables.value(scan, COLUMN), f"the column {COLUMN}")
        if any(by_column.of_scan.values()):
            return by_column
        by_scanner = _told(
            list(by_column.of_scan), lambda scan: _scanner(sidecars.of(scan), SCANNER), "the scanner in the sidecars"
        )
        return replace(by_scanner, unreadable={**by_column.unreadable, **by_scanner.unreadable})
    sites = _find(scans, tables, sidecars, site_from)
    if not any(sites.of_scan.values()):
        raise InputError(
            f"--site-from {site_from}: no scan has a value there",
            f"give the column of a table, {SESSION}, or {', '.join(SCANNER)}",
        )
    return sites


def _find(scans: Sequence[BidsScan], tables: Tables, sidecars: Sidecars, site_from: str) -> Sites:
    """Tell sites by what was asked for."""
    parts = site_from.split(TOGETHER)
    if all(part in SCANNER for part in parts):
        return _told(scans, lambda scan: _scanner(sidecars.of(scan), parts), f"{site_from} in the sidecars")
    if site_from == SESSION:
        return _told(scans, lambda scan: scan.session, "sessions")
    return _told(scans, lambda scan: tables.value(scan, site_from), f"the column {site_from}")


def _told(scans: Sequence[BidsScan], site_of: Callable[[BidsScan], str], told_by: str) -> Sites:
    """Return the site of each scan; a file that cannot be read is the trouble of its scans only, unless of all."""
    of_scan, errors = {}, {}
    for scan in scans:
        try:
            of_scan[scan] = site_of(scan)
        except HailError as error:
            errors[scan] = error
    if errors and not of_scan:
        raise next(iter(errors.values()))
    return Sites(of_scan, told_by, {scan: one_line(error) for scan, error in errors.items()})


def _scanner(told: Mapping[str, Any], parts: Iterable[str]) -> str:
    """Return what is asked for of a scanner as one name: `Siemens_Prisma_3T`."""
    return "_".join(filter(None, (_word(part, told.get(SCANNER[part])) for part in parts)))


def _word(part: str, value: Any) -> str:
    """Return an entry of a sidecar as a part of a name."""
    if part == "field-strength" and isinstance(value, (int, float)):
        return f"{value:g}T"
    return "_".join(str(value).split()) if isinstance(value, (str, int, float)) else ""
