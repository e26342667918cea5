"""All scans that are to look as if they were of one site: those brought there, and the site's own.

Terms
-----
before, after
    A scan that was brought to the site, as it was and as a method made it. The site's own scans are as they are in
    both: harmonization has done its work where nobody can tell the others from them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hail_mri.evaluation.group_means import NO_METHOD
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.tissue_profile import TissueProfile

Profiles = Mapping[str, TissueProfile]  # by tissue


@dataclass(frozen=True)
class ProfiledLine:
    """A line that was scored, with the profiles of its scans."""

    row: PairRow
    profiles: Sequence[TissueProfile]

    @property
    def method(self) -> str:
        """Its method, by a name that can be printed."""
        return self.row.method or NO_METHOD

    def of(self, scan: str) -> Profiles:
        """Return the profiles of one of its scans, by tissue."""
        return {profile.tissue: profile for profile in self.profiles if profile.scan == scan}


@dataclass(frozen=True)
class SiteScan:
    """A scan of a subject at a site, before and after it was brought to another."""

    subject: str
    site: str
    before: Profiles
    after: Profiles


def methods_of(lines: Sequence[ProfiledLine]) -> list[str]:
    """Return the methods of a table in its order."""
    return list(dict.fromkeys(line.method for line in lines))


def scans_by_target(lines: Sequence[ProfiledLine], method: str) -> Iterator[tuple[str, list[SiteScan]]]:
    """Yield each target site of a method with the scans that look like it, or should.

    Parameters
    ----------
    lines : sequence of ProfiledLine
        Of all methods: the own scans of a site are the sources of any line.
    method : str

    Yields
    ------
    target_site : str
        Empty for lines that name none.
    scans : list of SiteScan
        Those brought there from other sites first, then its own, each once.
    """
    own = {line.row.files["source"]: line for line in lines}
    of_method = [line for line in lines if line.method == method]
    for target in dict.fromkeys(line.row.target_site for line in of_method):
        brought = [line for line in of_method if line.row.target_site == target and line.row.site != target]
        scans = [
            SiteScan(line.row.subject, line.row.site, line.of("source"), line.of("harmonized")) for line in brought
        ]
        of_site = [line for line in own.values() if target and line.row.site == target]
        scans += [SiteScan(line.row.subject, target, line.of("source"), line.of("source")) for line in of_site]
        yield target, scans


def told_target(target_site: str) -> str:
    """Return where scans were brought, in words.

    Examples
    --------
    >>> told_target("C"), told_target("")
    ('to C', 'all directions')
    """
    return f"to {target_site}" if target_site else "all directions"
