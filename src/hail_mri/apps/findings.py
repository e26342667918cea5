"""What is said of scans once they are done: warnings, checks, and how a batch ended."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hail_mri.apps.terminal import say

if TYPE_CHECKING:
    from hail_mri.apps.result_table import Outcome
    from hail_mri.harmonize.check import Check


def say_checks(name: str, checks: "Sequence[Check]") -> None:
    """Write one line for each check of a scan."""
    for check in checks:
        say(name, str(check))


def say_warnings(warnings: Sequence[str]) -> None:
    """Write one line for each warning."""
    for warning in warnings:
        say("warning", warning)


def say_batch(outcomes: "Sequence[Outcome]", table_path: Path) -> None:
    """Say how many scans were done, which were not, and which checks of targets, sources and results are not ok."""
    failures = [outcome for outcome in outcomes if outcome.failed]
    skipped = [outcome for outcome in outcomes if outcome.status == "skipped"]
    already = sum(outcome.status == "done already" for outcome in outcomes)
    n_scans = len(outcomes) - len(skipped)
    note = f", {already} of them by an earlier run" if already else ""
    print(f"{n_scans - len(failures)} of {n_scans} scans harmonized{note}, listed in {table_path}")
    for outcome in skipped:
        say("skipped", f"{outcome.source}: {outcome.message}")
    targets = {outcome.target: outcome.report for outcome in reversed(outcomes) if outcome.report is not None}
    for target, report in reversed(targets.items()):
        _say_not_ok(str(target), report.checks["Target"])
    for outcome in outcomes:
        if outcome.report is not None and not outcome.failed:
            _say_not_ok(str(outcome.source), outcome.report.checks["Source"])
            _say_not_ok(f"the result of {outcome.source}", outcome.report.checks["Result"])
    for failure in failures:
        say("failed", failure.message)


def _say_not_ok(name: str, checks: "Sequence[Check]") -> None:
    """Write one line for each check that is not ok; names of files alone may be alike in folders of a folder."""
    say_checks(name, [check for check in checks if check.verdict != "ok"])
