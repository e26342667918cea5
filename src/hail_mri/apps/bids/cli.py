"""The command `hail-mri-bids`: the BIDS App, with the options that BIDS Apps have.

Exit status: 0 all done; 2 the request is wrong; 70 some scans failed, or have no result yet; 130 interrupted.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hail_mri import __version__
from hail_mri.apps.bids.arguments import spread_arguments
from hail_mri.apps.bids.masks import MaskChoice
from hail_mri.apps.bids.request import AppRequest, Level
from hail_mri.apps.bids.useless import require_useful
from hail_mri.apps.cli import run_app
from hail_mri.apps.options import EXIT_SOME_FAILED, Force, Model, Overwrite
from hail_mri.apps.terminal import say
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.provenance.folder_names import STATE_DIR

PROGRAM = "hail-mri-bids"
SCANS_SAID = 20  # of those without a result

app = typer.Typer(
    name=PROGRAM,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments after the program's name; None for those of the process. Without any, help is shown.
    """
    arguments = spread_arguments(sys.argv[1:] if argv is None else argv)
    return run_app(app, arguments, PROGRAM)


def _show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        print(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.command()
def run(
    bids_dir: Annotated[Path, typer.Argument(metavar="BIDS_DIR", help="A raw BIDS data set.")],
    output_dir: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="Folder for the data set of results.")],
    level: Annotated[
        Level, typer.Argument(metavar="participant|group", help="Harmonize scans; or report on the study.")
    ],
    *,
    participant_label: Annotated[
        list[str] | None, typer.Option(metavar="LABEL...", help="Participants, with or without sub-.")
    ] = None,
    session_id: Annotated[
        list[str] | None, typer.Option(metavar="LABEL...", help="Sessions, with or without ses-.")
    ] = None,
    bids_filter_file: Annotated[
        Path | None, typer.Option(metavar="JSON", help='Which scans: {"t1w": {"acquisition": "mprage"}}.')
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="FILE|CARD|TSV|auto", help="Scan, style card, table of targets by site, or the medoid."),
    ] = None,
    target_site: Annotated[
        str | None, typer.Option(metavar="SITE", help="Site whose medoid scan is the target (--target auto).")
    ] = None,
    site_from: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN|manufacturer|model|field-strength|institution|session",
            help="What tells the site of a scan; several of the scanner with + between.",
        ),
    ] = None,
    lesion_masks: Annotated[
        MaskChoice, typer.Option(metavar="auto|none", help="Keep lesions out of statistics by masks of derivatives.")
    ] = AppRequest.lesion_masks,
    brain_masks: Annotated[
        MaskChoice, typer.Option(metavar="auto|none", help="Measure in brain masks of derivatives.")
    ] = AppRequest.brain_masks,
    derivatives: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR...", help="Data sets with masks, beside BIDS_DIR/derivatives/*."),
    ] = None,
    model: Model = HarmonizeSettings.model,
    strength: Annotated[float, typer.Option(metavar="0..1", help="How much to change.")] = HarmonizeSettings.strength,
    skip_bids_validation: Annotated[
        bool, typer.Option("--skip-bids-validation", help="Do not ask the BIDS validator.")
    ] = False,
    work_dir: Annotated[
        Path | None, typer.Option("--work-dir", "-w", help=f"Where styles are kept (default: OUT_DIR/{STATE_DIR}).")
    ] = None,
    nprocs: Annotated[int | None, typer.Option(metavar="N", help="Scans at a time, each in a process.")] = None,
    omp_nthreads: Annotated[int | None, typer.Option(metavar="N", help="CPU threads of each process.")] = None,
    mem_gb: Annotated[float | None, typer.Option(metavar="GB", help="Memory of all processes together.")] = None,
    dask_scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS|local", help="Work on a Dask cluster.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    reports: Annotated[bool, typer.Option(help="Write a report of each scan.")] = True,
    reports_only: Annotated[bool, typer.Option("--reports-only", help="Write reports of what is done again.")] = False,
    force: Force = HarmonizeSettings.force,
    overwrite: Overwrite = False,
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose", "-v", count=True, show_default=False, help="Say more: sites and targets; twice: every scan."
        ),
    ] = 0,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> int:
    """Give the T1-weighted scans of a BIDS data set the look of one scan or site; anatomy stays as it is."""
    request = AppRequest(
        dataset_dir=bids_dir,
        output_dir=output_dir,
        participants=tuple(participant_label or ()),
        sessions=tuple(session_id or ()),
        filter_path=bids_filter_file,
        target=target,
        target_site=target_site,
        site_from=site_from,
        lesion_masks=lesion_masks,
        brain_masks=brain_masks,
        derivatives=tuple(derivatives or ()),
        work_dir=output_dir / STATE_DIR if work_dir is None else work_dir,
        n_processes=nprocs,
        threads=omp_nthreads,
        memory_gb=mem_gb,
        dask_scheduler=dask_scheduler,
        settings=HarmonizeSettings(model=model, strength=strength, force=force, threads=omp_nthreads),
        skip_validation=skip_bids_validation,
        overwrite=overwrite,
        reports=reports,
        verbosity=verbose,
    )
    require_useful(request, level, dry_run=dry_run, reports_only=reports_only)
    if dry_run:
        return _dry_run(request, level)
    if level == "group":
        return _group(request)
    return _report_again(request) if reports_only else _participants(request)


def _dry_run(request: AppRequest, level: Level) -> int:
    """Print what would be done."""
    from hail_mri.apps.bids.dry_run import plan_rows
    from hail_mri.apps.bids.plan import make_plan

    if level == "group":
        print(f"would report on {len(make_plan(request).selection.scans)} scans in {request.output_dir}")
        return 0
    for row in plan_rows(request):
        print("\t".join(row))
    return 0


def _participants(request: AppRequest) -> int:
    """Harmonize, and say what became of the scans."""
    from hail_mri.apps.bids.participant import harmonize_participants
    from hail_mri.apps.bids.saying import say_outcomes

    outcomes = harmonize_participants(request)
    say_outcomes(outcomes, request)
    return EXIT_SOME_FAILED if any(outcome.failed for outcome in outcomes) else 0


def _report_again(request: AppRequest) -> int:
    """Write the reports of scans again."""
    from hail_mri.apps.bids.group import report_scans

    n_written, reasons = report_scans(request)
    print(f"{n_written} reports written in {request.output_dir}")
    for reason in reasons:
        say("failed", reason)
    return EXIT_SOME_FAILED if reasons else 0


def _group(request: AppRequest) -> int:
    """Report on the study, and say what is missing."""
    from hail_mri.apps.bids.group import report_group

    group = report_group(request)
    n_scans = len(group.done) + len(group.missing)
    print(f"{len(group.done)} of {n_scans} scans are harmonized; the report is {group.report_path}")
    for scan, reason in list(group.missing.items())[:SCANS_SAID]:
        say("missing", f"{scan.path}: {reason}")
    if len(group.missing) > SCANS_SAID:
        say("missing", f"and {len(group.missing) - SCANS_SAID} more")
    return EXIT_SOME_FAILED if group.missing else 0


if __name__ == "__main__":
    sys.exit(main())
