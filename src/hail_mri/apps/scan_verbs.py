"""The verbs that work on scans: harmonize, segment, preprocess and simulate. Each calls the library."""

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from hail_mri.apps.findings import say_batch, say_checks, say_warnings
from hail_mri.apps.options import (
    EXIT_SOME_FAILED,
    DaskScheduler,
    Force,
    MemoryGb,
    Model,
    NProcesses,
    Output,
    Overwrite,
    Seed,
    Threads,
)
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
    lesion_mask: Annotated[
        Path | None, typer.Option(help="What of the source to leave out of what is measured, on its grid.")
    ] = None,
    target_lesion_mask: Annotated[Path | None, typer.Option(help="The same of the target.")] = None,
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
    report: Annotated[bool, typer.Option("--report", help="Write a report beside each result, HTML.")] = False,
    workers: NProcesses = None,
    memory_gb: MemoryGb = None,
    dask_scheduler: DaskScheduler = None,
    overwrite: Overwrite = False,
) -> int:
    """Give a scan, or many, the look of a target."""
    from hail_mri.apps.batch import harmonize_batch
    from hail_mri.apps.engine.workers import Workers, require_no_workers
    from hail_mri.apps.requests import is_batch, request_of_scan
    from hail_mri.apps.scan import harmonize_scan
    from hail_mri.apps.scan_files import require_no_target_masks, target_files
    from hail_mri.apps.scan_report import report_scan, require_report_free

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
    many = is_batch(source)
    # Each row of a table may name its own.
    has_target = not many or source.is_dir() or target is not None or style is not None
    files = target_files(target, style, target_mask, reference, lesion_mask=target_lesion_mask) if has_target else None
    if files is None:
        require_no_target_masks(source, target_mask, target_lesion_mask)
    who = Workers(workers, threads, memory_gb, dask_scheduler)
    if files is None or many:
        outcomes, table_path = harmonize_batch(
            source,
            output,
            brain_mask,
            files,
            settings,
            reference=reference,
            lesion_mask=lesion_mask,
            overwrite=overwrite,
            workers=who,
            reports=report,
        )
        say_batch(outcomes, table_path)
        return EXIT_SOME_FAILED if any(outcome.failed for outcome in outcomes) else 0
    require_no_workers(who, source)
    request = request_of_scan(source, output, brain_mask, lesion_mask)
    if report:
        require_report_free(request, overwrite=overwrite)
    with progress("harmonizing"):
        found = harmonize_scan(request, files, settings, overwrite=overwrite)
    names = {"Source": source.name, "Target": files.path.name, "Result": f"the result of {source.name}"}
    for part, checks in found.checks.items():
        say_checks(names[part], checks)
    say_warnings(found.warnings)
    if report:
        with progress("writing the report"):
            report_scan(request, files, overwrite=overwrite)
    return 0


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
    say_checks(scan.name, report.checks["Source"])
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
        say_checks(scan.name, report.checks["Source"])
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
