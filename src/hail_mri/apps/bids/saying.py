"""What is said of a run: its plan before, and what became of its scans."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hail_mri.apps.bids.mask_files import LESION, WORDS
from hail_mri.apps.bids.plan import Plan
from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.bids.targets import Auto, Targets, warnings_of
from hail_mri.apps.terminal import say
from hail_mri.provenance.folder_names import RESULT_TABLE

if TYPE_CHECKING:
    from hail_mri.apps.result_table import Outcome

EVERY_SCAN = 2  # -v -v


def say_plan(request: AppRequest, plan: Plan, targets: Targets) -> None:
    """Say what is to be known of targets and masks; with -v also which targets there are, and the sites."""
    say_warnings(plan, targets)
    if request.verbosity:
        say("sites", f"{told(plan.sites.counts())}, by {plan.sites.told_by}")
        for path in dict.fromkeys(target.path for target in targets.of_scan.values()):
            n = sum(target.path == path for target in targets.of_scan.values())
            say("target", f"{path}, of {n} scans")
    say_masks(request, plan)


def say_warnings(plan: Plan, targets: Targets | Auto) -> None:
    """Say which targets leak, and which lesion masks are not taken."""
    for warning in (*warnings_of(targets, plan), *plan.masks.warnings({scan.subject for scan in plan.selection.scans})):
        say("warning", warning)


def say_masks(request: AppRequest, plan: Plan) -> None:
    """Say how many scans have masks, and how many lesion masks are not taken; without -v if there are lesion masks."""
    masks = [plan.masks.of(scan) for scan in plan.selection.scans]
    counts = {kind: sum(kind in each for each in masks) for kind in WORDS}
    n_left_out = len(plan.masks.not_taken({scan.subject for scan in plan.selection.scans}))
    if request.verbosity or counts[LESION] or n_left_out:
        told = [f"{n} of {len(masks)} scans have a {WORDS[kind]}" for kind, n in counts.items()]
        told += [f"{n_left_out} lesion masks are not taken"] if n_left_out else []
        say("masks", ", ".join(told))


def told(counts: Mapping[str, int]) -> str:
    """Return sites with the number of their scans, in words."""
    return ", ".join(f"{site} ({n} scans)" for site, n in counts.items()) or "none is known"


def say_outcomes(outcomes: "Sequence[Outcome]", request: AppRequest) -> None:
    """Say how many scans were done, which failed or were left out, and what is to be known of the others."""
    wanted = [outcome for outcome in outcomes if outcome.status != "skipped"]
    failed = [outcome for outcome in wanted if outcome.failed]
    already = sum(outcome.status == "done already" for outcome in wanted)
    note = f", {already} of them by an earlier run" if already else ""
    table_path = request.output_dir / RESULT_TABLE
    print(f"{len(wanted) - len(failed)} of {len(wanted)} scans harmonized{note}, listed in {table_path}")
    for outcome in outcomes:
        if outcome.status == "skipped":
            say("skipped", f"{outcome.source}: {outcome.message}")
        elif outcome.failed:
            say("failed", outcome.message)
        elif outcome.message or request.verbosity >= EVERY_SCAN:
            said = f"{outcome.source}: {outcome.message}" if outcome.message else str(outcome.source)
            say(outcome.status, said)
