"""The verb `style`: a card from scans of a site, a picture of a card, or the best example of a site."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from hail_mri.apps.findings import say_checks, say_warnings
from hail_mri.apps.options import Force, Model, Overwrite, Threads
from hail_mri.apps.terminal import progress
from hail_mri.errors import InputError
from hail_mri.harmonize.settings import HarmonizeSettings


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
        _require_unused("--suggest-target", {"--preview": preview, "--brain-mask": brain_mask})
        _suggest_target(scans_of(targets, None), output, settings, overwrite=overwrite)
        return
    if is_card(targets) and preview is not None and output is None:
        _require_unused("a style card", {"--brain-mask": brain_mask})
        preview_card(targets[0], preview, overwrite=overwrite)
        return
    if output is None:
        raise InputError("-o is missing, expected the card to write", "or give a style card and --preview PNG")
    from hail_mri.apps.style_scans import make_style_card

    scans = scans_of(targets, output)
    with progress("making a style card"):
        reports = make_style_card(scans, output, settings, brain_masks=brain_mask or (), overwrite=overwrite)
    for scan, report in zip(scans, reports, strict=True):
        say_checks(scan.name, report.checks["Target"])
        say_warnings(report.warnings)
    if preview is not None:
        preview_card(output, preview, overwrite=overwrite)


def _require_unused(what: str, options: Mapping[str, object]) -> None:
    """Refuse options that would do nothing."""
    for option, value in options.items():
        if value:
            raise InputError(f"{option} is given with {what}, which makes no style card of scans", "leave it away")


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
