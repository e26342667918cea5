"""What the sidecar of a scan tells of its past: whether it is a result of harmonizing itself."""

from pathlib import Path

from hail_mri.harmonize.check import Check
from hail_mri.provenance.environment import DISTRIBUTION
from hail_mri.provenance.sidecar import read_sidecar

HARMONIZED_BEFORE = "harmonized before"


def check_history(path: Path) -> Check:
    """
    Check whether a scan has been harmonized before, as far as its sidecar tells.

    Parameters
    ----------
    path : Path
        Of the scan; a sidecar that is not there, cannot be read, or is not ours says nothing.
    """
    told = read_sidecar(path)
    hint = "harmonize the scan it was made from: the errors of two changes add up"
    by = told.get("GeneratedBy")
    ours = isinstance(by, list) and any(isinstance(one, dict) and one.get("Name") == DISTRIBUTION for one in by)
    target = told.get("Target")
    if ours and isinstance(target, str):
        return Check(HARMONIZED_BEFORE, "check", f"yes, to {Path(target).name!a}", "no", hint)
    return Check(HARMONIZED_BEFORE, "ok", "no, or no sidecar tells", "no", hint)
