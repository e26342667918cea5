"""What a run of the level of participants would do, as far as can be told without measuring; nothing is written."""

from collections.abc import Sequence

from hail_mri.apps.bids.dataset import BidsScan
from hail_mri.apps.bids.derivatives import result_path
from hail_mri.apps.bids.mask_files import WORDS
from hail_mri.apps.bids.medoid import kept_target
from hail_mri.apps.bids.plan import Plan, make_plan
from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.bids.saying import say_masks, say_warnings
from hail_mri.apps.bids.targets import Auto, Targets, find_targets
from hail_mri.apps.terminal import say

COLUMNS = ("source", "site", "target", "output", *WORDS)


def plan_rows(request: AppRequest) -> list[Sequence[str]]:
    """Return what a run would do, a row for each scan below a header; what fails already, and warnings, are said.

    Raises
    ------
    HailError
        As the run would, before the first scan.
    """
    from hail_mri.provenance.tables import NO_VALUE

    plan = make_plan(request)
    targets = _targets(request, plan)
    refused = {scan: plan.masks.refused[scan] for scan in plan.selection.scans if scan in plan.masks.refused}
    for scan, reason in (*plan.unusable.items(), *refused.items()):
        say("failed", f"{scan.path}: {reason}")
    say_warnings(plan, targets)
    say_masks(request, plan)
    rows: list[Sequence[str]] = [COLUMNS]
    for scan in (scan for scan in plan.selection.scans if scan not in refused):
        target = f"the medoid of {targets.told}" if isinstance(targets, Auto) else _path(targets, scan)
        output = str(result_path(scan, request.output_dir)) if target else NO_VALUE
        masks = [str(plan.masks.of(scan).get(kind, NO_VALUE)) for kind in WORDS]
        rows.append((str(scan.path), plan.sites.of_scan[scan] or NO_VALUE, target or NO_VALUE, output, *masks))
    return rows


def _targets(request: AppRequest, plan: Plan) -> Targets | Auto:
    """Return the target of each scan; one that is to be chosen, if an earlier run has kept what that takes."""
    targets = find_targets(request, plan)
    if not isinstance(targets, Auto):
        return targets
    kept = kept_target(targets, request, plan)
    if kept is not None:
        return kept
    tested = f"; {targets.n_left_out} scans of test subjects are not asked"
    say("target", f"to be chosen among {targets.told}, once they are measured{tested if targets.n_left_out else ''}")
    return targets


def _path(targets: Targets, scan: BidsScan) -> str:
    """Return the path of a scan's target; nothing if it has none."""
    target = targets.of_scan.get(scan)
    return "" if target is None else str(target.path)
