"""What the scans of a study say together: their map, the probe of sites, and which of them are far from their own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hail_mri.report.study.outliers import far_limit, robust_distances
from hail_mri.report.study.probes import Probes, probe_before_and_after
from hail_mri.report.study.site_map import SiteMap, looks_of, site_map
from hail_mri.report.study.survey import StudyEntry


@dataclass(frozen=True)
class Findings:
    """What the scans of a study say together.

    Attributes
    ----------
    mapped : sequence of StudyEntry
        Scans that could be measured before and after, in the order of the map.
    map : SiteMap or None
    probes : Probes
    distances : (n,) ndarray of float
        Of `mapped`, from the middle of their sites after harmonization; NaN in sites of few scans.
    limit : float or None
        Beyond which a scan is an outlier; None with too few scans.
    """

    mapped: Sequence[StudyEntry]
    map: SiteMap | None
    probes: Probes
    distances: NDArray[np.float64]
    limit: float | None

    @property
    def outliers(self) -> list[tuple[StudyEntry, float]]:
        """Scans beyond the limit with their distances, the farthest first."""
        if self.limit is None:
            return []
        far = [(e, d) for e, d in zip(self.mapped, self.distances.tolist(), strict=True) if d > self.limit]
        return sorted(far, key=lambda pair: -pair[1])

    @property
    def distance_by_line(self) -> dict[int, float]:
        """Distances that are known, by the line of the scan."""
        pairs = zip(self.mapped, self.distances.tolist(), strict=True)
        return {entry.scan.line: distance for entry, distance in pairs if np.isfinite(distance)}


def find(entries: Sequence[StudyEntry]) -> Findings:
    """
    Map, probe and compare the scans of a study.

    Parameters
    ----------
    entries : sequence of StudyEntry
        Those that could not be measured are left out.
    """
    looks = looks_of([e.measures.before for e in entries], [e.measures.after for e in entries])
    mapped = [entry for entry, there in zip(entries, looks.is_there.tolist(), strict=True) if there]
    sites = [entry.scan.site for entry in mapped]
    if not mapped:
        return Findings([], None, Probes(reason="no scan could be measured before and after"), np.array([]), None)
    distances = robust_distances(looks.after, sites)
    probes = probe_before_and_after(looks, sites, [entry.scan.subject for entry in mapped])
    return Findings(mapped, site_map(looks.before, looks.after), probes, distances, far_limit(distances))
