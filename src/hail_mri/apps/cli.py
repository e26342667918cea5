"""The command `hail-mri`: each verb is a short function that calls the library.

Exit status: 0 all done; 2 the request is wrong; 70 some of a batch failed; 130 interrupted. Nothing heavy is imported
before a verb runs, so that `--help` answers at once.
"""

import json
import math
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hail_mri import __version__
from hail_mri.apps.terminal import PROGRAM, one_line, progress, say
from hail_mri.errors import HailError, InputError
from hail_mri.harmonize.settings import Device, HarmonizeSettings, OutputMode

if TYPE_CHECKING:
    from hail_mri.apps.batch import Outcome
    from hail_mri.apps.scan import LookPath
    from hail_mri.harmonize.check import Check

EXIT_WRONG_REQUEST = 2
EXIT_SOME_FAILED = 70
EXIT_INTERRUPTED = 130

Output = Annotated[Path, typer.Option("--output", "-o", help="Where the result goes.", show_default=False)]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")]
Force = Annotated[bool, typer.Option("--force", help="Go on with a scan that fails a check.")]
Model = Annotated[str, typer.Option(metavar="NAME|PATH", help="Shipped weights, or a safetensors file.")]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same result.")]
LabelMaps = Annotated[Path | None, typer.Option(help="Folder of label maps to use in place of the built-in head.")]

app = typer.Typer(
    name=PROGRAM,
    help="Give a T1-weighted brain scan the look of another scan or site; its anatomy stays as it is.",
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
    arguments = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        status = app(args=arguments, prog_name=PROGRAM, standalone_mode=False) or 0
    except typer.TyperException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", PROGRAM)
        say("error", f"{error.format_message().rstrip('.')}. See '{command} --help'.")
        return EXIT_WRONG_REQUEST
    except HailError as error:
        say("error", one_line(error))
        return EXIT_WRONG_REQUEST
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    if status == EXIT_INTERRUPTED:
        say("error", "Interrupted; results that were complete are kept.")
    return int(status)


def _show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        print(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Take what can be asked without a verb."""


@app.command()
def harmonize(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="A scan, a folder of scans, or a TSV (columns source, output).")
    ],
    *,
    target: Annotated[Path | None, typer.Option(help="Scan whose look is wanted.")] = None,
    style: Annotated[Path | None, typer.Option(metavar="CARD", help="Style card, in place of --target.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; a folder for many scans (default: the TSV's own).")
    ] = None,
    model: Model = HarmonizeSettings.model,
    output_mode: Annotated[
        OutputMode, typer.Option(help="The source with its contrast changed, or the prediction of the network.")
    ] = HarmonizeSettings.output_mode,
    strength: Annotated[float, typer.Option(metavar="0..1", help="How much to change.")] = HarmonizeSettings.strength,
    brain_mask: Annotated[Path | None, typer.Option(help="Brain mask of the source, on its grid.")] = None,
    target_mask: Annotated[Path | None, typer.Option(help="Brain mask of the target, on its grid.")] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = HarmonizeSettings.device,
    threads: Annotated[int | None, typer.Option(metavar="N", help="CPU threads.")] = HarmonizeSettings.threads,
    seed: Seed = HarmonizeSettings.seed,
    force: Force = HarmonizeSettings.force,
    overwrite: Overwrite = False,
) -> int:
    """Give a scan, or many, the look of a target."""
    from hail_mri.apps.batch import harmonize_batch
    from hail_mri.apps.requests import is_batch, request_of_scan
    from hail_mri.apps.scan import harmonize_scan

    settings = HarmonizeSettings(
        model=model,
        output_mode=output_mode,
        strength=strength,
        device=device,
        threads=threads,
        seed=seed,
        force=force,
    )
    look = _look(target, style, target_mask)
    if is_batch(source):
        outcomes, table_path = harmonize_batch(source, output, brain_mask, look, settings, overwrite=overwrite)
        return _report_batch(outcomes, table_path)
    with progress("harmonizing"):
        report = harmonize_scan(request_of_scan(source, output, brain_mask), look, settings, overwrite=overwrite)
    for path, checks in zip((source, look.path), report.checks.values(), strict=True):
        _say_checks(path, checks)
    for warning in report.warnings:
        say("warning", warning)
    return 0


@app.command()
def style(
    targets: Annotated[list[Path], typer.Argument(metavar="TARGET...", help="Scans of one site.")],
    *,
    output: Output,
    model: Model = HarmonizeSettings.model,
    force: Force = HarmonizeSettings.force,
    overwrite: Overwrite = False,
) -> None:
    """Make a style card from scans of a site."""
    from hail_mri.apps.style_scans import make_style_card

    with progress("making a style card"):
        checks = make_style_card(targets, output, model=model, force=force, overwrite=overwrite)
    for target, found in zip(targets, checks, strict=True):
        _say_checks(target, found)


@app.command()
def segment(
    scan: Annotated[Path, typer.Argument(metavar="SCAN", help="A T1-weighted scan of a head, whole or stripped.")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Tissue labels; a table of volumes goes beside.", show_default=False)
    ],
    save_probabilities: Annotated[Path | None, typer.Option(help="Where a map of each tissue goes, 4-D.")] = None,
    save_brain_mask: Annotated[Path | None, typer.Option(help="Where the brain mask goes.")] = None,
    brain_mask: Annotated[Path | None, typer.Option(help="Brain mask of the scan to go by, on its grid.")] = None,
    model: Model = HarmonizeSettings.model,
    threads: Annotated[int | None, typer.Option(metavar="N", help="CPU threads.")] = HarmonizeSettings.threads,
    force: Force = HarmonizeSettings.force,
    overwrite: Overwrite = False,
) -> None:
    """Find the tissues of a scan and their volumes."""
    from hail_mri.apps.segment_scan import segment_scan
    from hail_mri.segmentation.files import SegmentationPaths

    paths = SegmentationPaths(output, save_probabilities, save_brain_mask)
    with progress("segmenting"):
        report = segment_scan(
            scan, paths, brain_mask=brain_mask, model=model, threads=threads, force=force, overwrite=overwrite
        )
    _say_checks(scan, report.checks["Source"])
    for warning in report.warnings:
        say("warning", warning)


@app.command()
def simulate(
    *,
    output: Output,
    subjects: Annotated[int, typer.Option(min=1, help="Number of subjects.")],
    sites: Annotated[str, typer.Option(metavar="A,B,C", help="Sites, with commas between them.")],
    label_maps: LabelMaps = None,
    spacing: Annotated[float, typer.Option(metavar="MM", help="Voxel size.")] = 1.0,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write a data set of travelling subjects."""
    if not 0.0 < spacing < math.inf:
        raise InputError(f"--spacing is {spacing}, expected a voxel size in mm above 0")
    from hail_mri.provenance.free_paths import require_folder_free
    from hail_mri.simulation.cohorts import write_cohort

    require_folder_free(output, overwrite=overwrite)
    names = [name.strip() for name in sites.split(",")]
    with progress("simulating"):
        write_cohort(
            output,
            n_subjects=subjects,
            sites=names,
            label_maps_dir=label_maps,
            spacing=spacing,
            seed=seed,
            overwrite=overwrite,
        )


@app.command()
def train(
    phase: Annotated[
        Literal["tissues", "encoder", "style"],
        typer.Argument(help="The tissue network, or phase 1 or phase 2 of the paper."),
    ],
    *,
    config: Annotated[Path, typer.Option(help="Settings, as TOML.")],
    output: Output,
    label_maps: Annotated[Path, typer.Option(help="Folder of label maps of heads.")],
    init: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Weights to start from.")] = None,
    minutes: Annotated[
        float, typer.Option(min=0.1, help="When to end, of wall time; heads and validation count.")
    ] = math.inf,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run stopped.")] = False,
) -> None:
    """Train a network on simulated subjects."""
    try:
        from hail_mri.training.phases.paper_run import train as train_network
        from hail_mri.training.phases.tissue_run import train_tissues
    except ModuleNotFoundError as error:
        if error.name != "lightning":
            raise
        raise InputError("training needs Lightning, which is not installed", "pip install 'hail-mri[train]'") from error
    from hail_mri.provenance.free_paths import require_writable_folder

    require_writable_folder(output)
    train_phase = train_tissues if phase == "tissues" else partial(train_network, phase)
    train_phase(
        config,
        output,
        label_maps_dir=label_maps,
        init=init,
        minutes=minutes,
        resume=resume,
        say=lambda line: say("train", line),
    )


@app.command()
def info(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show versions, weights with their hashes, and devices."""
    from hail_mri.apps.info import collect_info, format_info

    found = collect_info()
    print(json.dumps(found, indent=2) if as_json else format_info(found))


def _say_checks(path: Path, checks: "Sequence[Check]") -> None:
    """Write one line for each check of a scan."""
    for check in checks:
        say(path.name, str(check))


def _look(target: Path | None, style_card: Path | None, target_mask: Path | None) -> "LookPath":
    """Return the look that is wanted, from exactly one of a target and a style card."""
    from hail_mri.apps.scan import LookPath

    if target is not None and style_card is not None:
        raise InputError("--target and --style are both given, expected one of them")
    if target is not None:
        return LookPath(target, is_style_card=False, brain_mask=target_mask)
    if style_card is not None:
        return LookPath(style_card, is_style_card=True, brain_mask=target_mask)
    raise InputError("neither --target nor --style is given, expected one of them")


def _report_batch(outcomes: "Sequence[Outcome]", table_path: Path) -> int:
    """Say how many scans were done and which were not, and return the exit status."""
    failures = [outcome for outcome in outcomes if outcome.failed]
    skipped = [outcome for outcome in outcomes if outcome.status == "skipped"]
    already = sum(outcome.status == "done already" for outcome in outcomes)
    n_scans = len(outcomes) - len(skipped)
    note = f", {already} of them by an earlier run" if already else ""
    print(f"{n_scans - len(failures)} of {n_scans} scans harmonized{note}, listed in {table_path}")
    for outcome in skipped:
        say("skipped", f"{outcome.source}: {outcome.message}")
    for failure in failures:
        say("failed", failure.message)
    return EXIT_SOME_FAILED if failures else 0


if __name__ == "__main__":
    sys.exit(main())
