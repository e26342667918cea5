"""Whether a classifier still tells the site, before and after, and by what; or, in words, why that cannot be asked."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hail_mri.errors import InputError
from hail_mri.evaluation.probe_chance import ProbeChance, ProbeChange, probe_chances, probe_change
from hail_mri.evaluation.site_effect import SiteEffect, site_effect
from hail_mri.evaluation.site_probe import SiteProbe, probe_site
from hail_mri.report.study.site_map import Looks

SEED = 0
SURE = 0.05  # p-value at most
FEW_SUBJECTS = 10  # with fewer an interval is too narrow, as `bootstrap_interval` says


@dataclass(frozen=True)
class Probed:
    """What a probe found of one state of the scans.

    Attributes
    ----------
    probe : SiteProbe
    chance : ProbeChance
    effect : SiteEffect
        Of each feature, in shares of white matter.
    """

    probe: SiteProbe
    chance: ProbeChance
    effect: SiteEffect

    @property
    def is_told(self) -> bool:
        """Whether the site is told better than chance lets expect."""
        return self.chance.p_value <= SURE


@dataclass(frozen=True)
class Probes:
    """The probe before and after; or the reason why there is none.

    Attributes
    ----------
    before, after : Probed or None
    change : ProbeChange or None
        From before to after.
    names : tuple of str
        Of the features.
    reason : str
        Empty if there are both.
    caution : str
        Why the numbers are to be believed less than their intervals say; empty if they are not.
    """

    before: Probed | None = None
    after: Probed | None = None
    change: ProbeChange | None = None
    names: tuple[str, ...] = ()
    reason: str = ""
    caution: str = ""


def probe_before_and_after(looks: Looks, sites: Sequence[str], subjects: Sequence[str]) -> Probes:
    """
    Try to tell the site from the looks of scans, before and after, with subjects held out.

    Parameters
    ----------
    looks : Looks
    sites, subjects : sequence of str
        Of each scan; empty where it is not known.

    Notes
    -----
    The same folds for both. Scans without a site are left out; one without a subject is a subject of its own.
    """
    known = np.array([bool(site) for site in sites], dtype=bool)
    if not known.any():
        return Probes(reason="no scan has a site: the table of results names none")
    of_whom = np.array([subject or f"scan {n}" for n, subject in enumerate(subjects)], dtype=object)[known].astype(str)
    where = np.array(list(sites), dtype=object)[known].astype(str)
    states = looks.before[known], looks.after[known]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of few scans, which is said below
            probes = [probe_site(state, where, of_whom, rng=_generator()) for state in states]
            chances = probe_chances(states, where, of_whom, rng=_generator())
    except InputError as error:
        return Probes(reason=str(error))
    except ValueError as error:
        return Probes(reason=f"there are too few scans to learn from ({error})")
    first, second = (
        Probed(probe, chance, site_effect(state, where))
        for probe, chance, state in zip(probes, chances, states, strict=True)
    )
    change = probe_change(first.probe.is_right, second.probe.is_right, where, of_whom, rng=_generator())
    fewest = min(len(set(of_whom[where == site])) for site in set(where))
    caution = ""
    if fewest < FEW_SUBJECTS:
        caution = (
            f"one of the sites has {fewest} subjects only: an interval of so few is too narrow, and the classifier "
            "has little to learn from"
        )
    return Probes(first, second, change, looks.names, caution=caution)


def _generator() -> np.random.Generator:
    """Return a generator that gives all probes the same folds."""
    return np.random.default_rng(SEED)
