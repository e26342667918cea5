"""The verbs that tell of results that are on disk: report and features. Each calls the library."""

from pathlib import Path
from typing import Annotated

import typer

from hail_mri.apps.options import EXIT_SOME_FAILED, Overwrite
from hail_mri.apps.terminal import progress, say

ResultsDir = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of results, with its harmonized.tsv.")]
ParticipantsTable = Annotated[
    Path | None, typer.Option("--participants", metavar="TSV", help="participants.tsv: sites and covariates.")
]
Processes = Annotated[int, typer.Option(min=1, help="Scans that are measured at once.")]


def report(
    directory: ResultsDir,
    *,
    study_only: Annotated[bool, typer.Option("--study-only", help="No reports of single scans.")] = False,
    participants: ParticipantsTable = None,
    processes: Processes = 1,
    overwrite: Overwrite = False,
) -> int:
    """Write the reports of a folder of results: one of each scan, and one of the study."""
    from hail_mri.provenance.free_paths import require_file_free
    from hail_mri.report.study.participants import Participants, read_participants
    from hail_mri.report.study_report import STUDY_REPORT, read_study, write_study_report

    people = Participants() if participants is None else read_participants(participants)
    scans = read_study(directory, people.sites)
    require_file_free(directory / STUDY_REPORT, overwrite=overwrite)
    not_written = []
    if not study_only:
        from hail_mri.apps.scan_reports import write_scan_reports

        with progress("reporting scans", total=len(scans)) as step:
            not_written = write_scan_reports(scans, overwrite=overwrite, step=step)
    with progress("measuring", total=len(scans)) as step:
        path = write_study_report(directory, overwrite=overwrite, sites=people.sites, n_processes=processes, step=step)
    print(f"{path} tells of {len(scans)} lines of the table of results")
    for reason in not_written:
        say("failed", reason)
    return EXIT_SOME_FAILED if not_written else 0


def features(
    directory: ResultsDir,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Table of features, TSV.", show_default=False)],
    participants: ParticipantsTable = None,
    processes: Processes = 1,
    overwrite: Overwrite = False,
) -> int:
    """Write regional features before and after as a table, for ComBat."""
    from hail_mri.provenance.free_paths import require_file_free
    from hail_mri.report.study.handoff import write_features
    from hail_mri.report.study.participants import Participants, read_participants
    from hail_mri.report.study.survey import survey
    from hail_mri.report.study_report import read_study

    people = Participants() if participants is None else read_participants(participants)
    scans = read_study(directory, people.sites)
    require_file_free(output, overwrite=overwrite)
    with progress("measuring", total=len(scans)) as step:
        entries = survey(scans, directory, n_processes=processes, step=step, with_pictures=False)
    n_written = write_features(entries, people, output, overwrite=overwrite)
    print(f"features of {n_written} scans before and after are in {output}")
    missing = [entry.scan for entry in entries if entry.scan.is_done and not entry.measures.before]
    for scan in missing:
        say("failed", f"{scan.name}: {'; '.join(scan.problems)}")
    return EXIT_SOME_FAILED if missing else 0
