"""What is said once the scans of a run are done."""

from collections.abc import Sequence

from hail_mri.apps.bids.request import AppRequest
from hail_mri.apps.result_table import Outcome
from hail_mri.apps.terminal import say
from hail_mri.provenance.folder_names import RESULT_TABLE

EVERY_SCAN = 2  # -v -v


def say_outcomes(outcomes: Sequence[Outcome], request: AppRequest) -> None:
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
