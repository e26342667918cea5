"""Options that would do nothing at a level, or beside another one: refused, so that nobody waits for what they ask."""

from hail_mri.apps.bids.request import AppRequest, Level
from hail_mri.errors import InputError
from hail_mri.harmonize.settings import HarmonizeSettings


def require_useful(request: AppRequest, level: Level, *, dry_run: bool, reports_only: bool) -> None:
    """Refuse options that would do nothing.

    Raises
    ------
    InputError
        With the first of them, and why.
    """
    if request.derivatives and level == "participant" and request.lesion_masks == request.brain_masks == "none":
        raise InputError("--derivatives does nothing without masks: --lesion-masks and --brain-masks are none")
    useless = _of_group(request, reports_only=reports_only) if level == "group" else {}
    if level == "participant" and reports_only:
        useless = {
            "--dry-run": (dry_run, "nothing is harmonized, and reports that are there are written again"),
            "--no-reports": (not request.reports, "no reports and nothing but reports are not both to be had"),
        }
    beside = "at the level group" if level == "group" else "beside --reports-only"
    for option, (is_given, reason) in useless.items():
        if is_given:
            raise InputError(f"{option} does nothing {beside}: {reason}", "leave it out")


def _of_group(request: AppRequest, *, reports_only: bool) -> dict[str, tuple[bool, str]]:
    """Return options of the other level: whether each is given, and why it does nothing."""
    settings, usual = request.settings, HarmonizeSettings()
    all_scans = "the report is of all scans in the table of results"
    nothing = "nothing is harmonized"
    here = "scans are measured on this machine, as many at a time as --nprocs says"
    return {
        "--reports-only": (reports_only, "it writes the report of the study; see the level participant"),
        "--no-reports": (not request.reports, "it writes the report of the study, and none of scans"),
        "--participant-label": (bool(request.participants), all_scans),
        "--session-id": (bool(request.sessions), all_scans),
        "--bids-filter-file": (request.filter_path is not None, all_scans),
        "--target": (request.target is not None, nothing),
        "--target-site": (request.target_site is not None, nothing),
        "--lesion-masks": (request.lesion_masks != AppRequest.lesion_masks, nothing),
        "--brain-masks": (request.brain_masks != AppRequest.brain_masks, nothing),
        "--derivatives": (bool(request.derivatives), nothing),
        "--model": (settings.model != usual.model, nothing),
        "--strength": (settings.strength != usual.strength, nothing),
        "--force": (settings.force != usual.force, nothing),
        "--mem-gb": (request.memory_gb is not None, here),
        "--omp-nthreads": (request.threads is not None, here),
        "--dask-scheduler": (request.dask_scheduler is not None, here),
    }
