"""Whether a classifier still tells the site, before and after; or, in words, why that cannot be asked."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.site_probe import SiteProbe, probe_site

SEED = 0
FEW_SUBJECTS = 10  # with fewer an interval is too narrow, as `bootstrap_interval` says


@dataclass(frozen=True)
class Probes:
    """The probe before and after; or the reason why there is none.

    Attributes
    ----------
    before, after : SiteProbe or None
    reason : str
        Empty if there are both.
    caution : str
        Why the numbers are to be believed less than their intervals say; empty if they are not.
    """

    before: SiteProbe | None = None
    after: SiteProbe | None = None
    reason: str = ""
    caution: str = ""


def probe_before_and_after(
    before: NDArray[np.float64], after: NDArray[np.float64], sites: Sequence[str], subjects: Sequence[str]
) -> Probes:
    """
    Try to tell the site from the looks of scans, before and after, with subjects held out.

    Parameters
    ----------
    before, after : (n, d) ndarray of float
        As `looks_of` returns them.
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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of few scans, which is said below
            first, second = (
                probe_site(state[known], where, of_whom, rng=np.random.default_rng(SEED)) for state in (before, after)
            )
    except InputError as error:
        return Probes(reason=str(error))
    except ValueError as error:
        return Probes(reason=f"there are too few scans to learn from ({error})")
    fewest = min(len(set(of_whom[where == site])) for site in set(where))
    caution = ""
    if fewest < FEW_SUBJECTS:
        caution = (
            f"one of the sites has {fewest} subjects only: an interval of so few is too narrow, and the classifier "
            "has little to learn from"
        )
    return Probes(first, second, caution=caution)
