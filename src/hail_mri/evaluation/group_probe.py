"""Whether a classifier still tells from which site scans come that were brought to one: before and after."""

from collections.abc import Iterator, Sequence

import numpy as np

from hail_mri.errors import InputError
from hail_mri.evaluation.group_number import SEED, Group, GroupNumber
from hail_mri.evaluation.site_probe import probe_site
from hail_mri.evaluation.site_scans import (
    ProfiledLine,
    Profiles,
    SiteScan,
    methods_of,
    scans_by_target,
    told_target,
)
from hail_mri.evaluation.tissue_profile import HEAD, TissueProfile, bin_centres

TISSUES = "tissues"
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
PROBE, CHANCE, METRIC = "site probe", "site probe, chance", "balanced accuracy"


def group_probes(lines: Sequence[ProfiledLine]) -> Iterator[GroupNumber]:
    """Yield the balanced accuracy of a site probe before and after, and what guessing gives.

    Parameters
    ----------
    lines : sequence of ProfiledLine

    Yields
    ------
    GroupNumber
        For each method and target site. Features of a scan are the mean and five quantiles of each tissue, or of the
        head where no tissues are known; subjects are held out whole.
    """
    for method in methods_of(lines):
        for target, scans in scans_by_target(lines, method):
            yield from _probes(Group(method, told_target(target), METRIC, _region(scans), "1"), scans)


def _region(scans: Sequence[SiteScan]) -> str:
    """Return what a probe looks at: the tissues, or the head where none are known."""
    return TISSUES if any(set(scan.before) - {HEAD} for scan in scans) else HEAD


def _probes(group: Group, scans: Sequence[SiteScan]) -> Iterator[GroupNumber]:
    """Yield the probe's numbers of scans that are to look alike."""
    named = [scan for scan in scans if scan.subject and scan.site]
    for stage in ("before", "after"):
        try:
            rows = np.array([_features(getattr(scan, stage)) for scan in named])
            sites, subjects = [scan.site for scan in named], [scan.subject for scan in named]
            if not named:
                raise InputError("no line names subject and site")
            found = probe_site(rows, sites, subjects, rng=np.random.default_rng(SEED))
        except InputError as error:
            yield GroupNumber(f"{PROBE} {stage}", group, reason=str(error))
            continue
        yield GroupNumber.of_interval(f"{PROBE} {stage}", group, found.balanced_accuracy)
        if stage == "after":
            yield GroupNumber(CHANCE, group, found.chance, n_subjects=found.balanced_accuracy.n_subjects)


def _features(profiles: Profiles) -> list[float]:
    """Return what a probe is shown of a scan."""
    tissues = [name for name in profiles if name != HEAD] or [HEAD]
    return [number for name in tissues for number in _numbers(profiles[name])]


def _numbers(profile: TissueProfile) -> list[float]:
    """Return the mean and the quantiles of a tissue."""
    if profile.mean is None:
        raise InputError(f"a scan has no {profile.tissue}")
    shares = np.cumsum(profile.counts) / np.sum(profile.counts)
    return [profile.mean, *np.interp(QUANTILES, shares, bin_centres())]
