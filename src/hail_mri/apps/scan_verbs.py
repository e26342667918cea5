"""The verbs that work on scans: harmonize, style, segment, preprocess and simulate. Each calls the library."""

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from hail_mri.apps.findings import say_batch, say_checks, say_warnings
from hail_mri.apps.options import EXIT_SOME_FAILED, Force, Model, Output, Overwrite, Seed, Threads
from hail_mri.apps.terminal import progress
from hail_mri.errors import InputError
from hail_mri.harmonize.settings import Device, HarmonizeSettings, OutputMode, ScanPreset
from hail_mri.preprocess.settings import Preset

Design = Literal["travelling", "multisite"]


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
    preset: Annotated[
        ScanPreset, typer.Option(help="Scans as they are; N4 first; or prepared as in the paper.")
    ] = HarmonizeSettings.preset,
    reference: Annotated[
        Path | None, typer.Option(metavar="SCAN|mni152", help="Register scans to it first (robust, paper).")
    ] = None,
    keep_bias: Annotated[
        bool, typer.Option("--keep-bias/--remove-bias", help="Put back the bias field that N4 found, or not.")
    ] = HarmonizeSettings.keep_bias,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = HarmonizeSettings.device,
    threads: Threads = HarmonizeSettings.threads,
    seed: Seed = HarmonizeSettings.seed,
    force: Force = HarmonizeSettings.force,
    overwrite: Overwrite = False,
) -> int:
    """Give a scan, or many, the look of a target."""
    from hail_mri.apps.batch import harmonize_batch
    from hail_mri.apps.requests import is_batch, request_of_scan
    from hail_mri.apps.scan import harmonize_scan
    from hail_mri.apps.scan_files import target_files

    settings = HarmonizeSettings(
        model=model,
        output_mode=output_mode,
        strength=strength,
        device=device,
        threads=threads,
        seed=seed,
        force=force,
        preset=preset,
        keep_bias=keep_bias,
    )
    files = target_files(target, style, target_mask, reference)
    if is_batch(source):
        outcomes, table_path = harmonize_batch(source, output, brain_mask, files, settings, overwrite=overwrite)
        say_batch(outcomes, table_path, files.path)
        return EXIT_SOME_FAILED if any(outcome.failed for outcome in outcomes) else 0
    with progress("harmonizing"):
        report = harmonize_scan(request_of_scan(source, output, brain_mask), files, settings, overwrite=overwrite)
    for path, checks in zip((source, files.path), report.checks.values(), strict=True):
        say_checks(path, checks)
    say_warnings(report.warnings)
    return 0


def style(
    targets: Annotated[
        list[Path], typer.Argument(metavar="TARGET...", help="Scans of one site, or folders of them; or a style card.")
    ],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the card goes; with --suggest-target, the table.")
    ] = None,
    brain_mask: Annotated[
        list[Path] | None, typer.Option(help="Brain mask of a scan, on its grid; once for each scan, in their order.")
    ] = None,
    preview: Annotated[Path | None, typer.Option(metavar="PNG", help="Where a picture of the card goes.")] = None,
    suggest_target: Annotated[
        bool, typer.Option("--suggest-target", help="Say which scan is nearest to all others; make no card.")
    ] = False,
    model: Model = HarmonizeSettings.model,
    threads: Threads = HarmonizeSettings.threads,
    force: Force = HarmonizeSettings.force,
    overwrite: Overwrite = False,
) -> None:
    """Make a style card from scans of a site, show one, or find the best example of the site."""
    from hail_mri.apps.style_request import is_card, preview_card, scans_of

    settings = HarmonizeSettings(model=model, threads=threads, force=force)
    if suggest_target:
        _suggest_target(scans_of(targets, None), output, settings, overwrite=overwrite)
        return
    if is_card(targets) and preview is not None and output is None:
        preview_card(targets[0], preview, overwrite=overwrite)
        return
    if output is None:
        raise InputError("-o is missing, expected the card to write", "or give a style card and --preview PNG")
    from hail_mri.apps.style_scans import make_style_card

    scans = scans_of(targets, output)
    with progress("making a style card"):
        reports = make_style_card(scans, output, settings, brain_masks=brain_mask or (), overwrite=overwrite)
    for scan, report in zip(scans, reports, strict=True):
        say_checks(scan, report.checks["Target"])
        say_warnings(report.warnings)
    if preview is not None:
        preview_card(output, preview, overwrite=overwrite)


def _suggest_target(scans: list[Path], output: Path | None, settings: HarmonizeSettings, *, overwrite: bool) -> None:
    """Print which scan of a site is nearest to all others, and how far each is from them."""
    from hail_mri.apps.requests import require_not_read
    from hail_mri.apps.suggest_target import rows_of, suggest_target, write_candidates
    from hail_mri.provenance.free_paths import require_file_free
    from hail_mri.provenance.links import real_path

    if output is not None:
        require_not_read(output, [real_path(scan) for scan in scans])
        require_file_free(output, overwrite=overwrite)
    with progress("measuring styles", total=len(scans)) as advance:
        candidates = suggest_target(scans, settings, advance=advance)
    if output is not None:
        write_candidates(candidates, output)
    for row in rows_of(candidates, Path.cwd()):
        print("\t".join(row))


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
    threads: Threads = HarmonizeSettings.threads,
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
    say_checks(scan, report.checks["Source"])
    say_warnings(report.warnings)


def preprocess(
    scans: Annotated[list[Path], typer.Argument(metavar="SCAN...", help="T1-weighted scans.")],
    *,
    reference: Annotated[
        Path, typer.Option(metavar="SCAN|mni152", help="Scan on whose grid all are to lie, or the MNI152 brain.")
    ] = Path("mni152"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for results.", show_default=False)],
    preset: Annotated[Preset, typer.Option(help="White matter 0.6, or min-max as in the paper.")] = "robust",
    spacing: Annotated[float, typer.Option(metavar="MM", help="Voxel size.")] = 1.0,
    size: Annotated[int, typer.Option(metavar="N", help="Voxels along each edge.")] = 256,
    brain_mask: Annotated[Path | None, typer.Option(help="Brain mask of the scan, on its grid.")] = None,
    reference_mask: Annotated[Path | None, typer.Option(help="Brain mask of the reference, on its grid.")] = None,
    save_brain_mask: Annotated[bool, typer.Option("--save-brain-mask", help="Write a brain mask, too.")] = False,
    use_cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Keep estimates for the next run.")] = True,
    threads: Threads = HarmonizeSettings.threads,
    force: Force = HarmonizeSettings.force,
    overwrite: Overwrite = False,
) -> None:
    """Correct the bias field of scans, bring them to the grid of a reference, and keep the way back."""
    from hail_mri.apps.preprocess_scan import PreprocessChoices, preprocess_scans
    from hail_mri.apps.reference import ReferenceFiles

    choices = PreprocessChoices(
        preset=preset,
        spacing=spacing,
        size=size,
        save_brain_mask=save_brain_mask,
        use_cache=use_cache,
        threads=threads,
        force=force,
        overwrite=overwrite,
    )
    files = ReferenceFiles(reference, reference_mask)
    with progress("preparing"):
        reports = preprocess_scans(scans, files, output, choices, brain_mask=brain_mask)
    for scan, report in zip(scans, reports, strict=True):
        say_checks(scan, report.checks["Source"])
        say_warnings(report.warnings)


def simulate(
    *,
    output: Output,
    subjects: Annotated[int, typer.Option(min=1, help="Number of subjects; of each site, if multisite.")],
    sites: Annotated[str, typer.Option(metavar="A,B,C", help="Sites, with commas between them.")],
    label_maps: Annotated[
        Path | None, typer.Option(help="Folder of label maps to use in place of the built-in head.")
    ] = None,
    spacing: Annotated[float, typer.Option(metavar="MM", help="Voxel size.")] = 1.0,
    design: Annotated[
        Design, typer.Option(help="Every subject at every site, with the truth; or each at one site, as in a study.")
    ] = "travelling",
    twice: Annotated[
        int, typer.Option(min=0, metavar="N", help="Subjects of each site with a second session (multisite).")
    ] = 0,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Write a data set of simulated subjects, travelling ones or those of several sites."""
    if not 0.0 < spacing < math.inf:
        raise InputError(f"--spacing is {spacing}, expected a voxel size in mm above 0")
    if twice and design == "travelling":
        raise InputError("--twice is given with --design travelling, expected it with --design multisite")
    from hail_mri.provenance.free_paths import require_folder_free
    from hail_mri.simulation.cohorts import write_cohort
    from hail_mri.simulation.multisite import write_multisite_study

    require_folder_free(output, overwrite=overwrite)
    names = [name.strip() for name in sites.split(",")]
    write = write_cohort if design == "travelling" else partial(write_multisite_study, n_twice=twice)
    with progress("simulating"):
        write(
            output,
            n_subjects=subjects,
            sites=names,
            label_maps_dir=label_maps,
            spacing=spacing,
            seed=seed,
            overwrite=overwrite,
        )
