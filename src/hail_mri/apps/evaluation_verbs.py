"""The verbs that score results: evaluate and reproduce. Each calls the library."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

from hail_mri.apps.options import EXIT_SOME_FAILED, Overwrite
from hail_mri.apps.terminal import progress, say


def evaluate(
    pairs: Annotated[
        Path, typer.Argument(metavar="PAIRS.tsv", help="Table with the columns source, target, harmonized, and more.")
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for tables and summary.", show_default=False)],
    scale: Annotated[
        Literal["units", "min-max"],
        typer.Option(help="Results are in the target's units, or each image goes to [0, 1]."),
    ] = "units",
    segmentation: Annotated[
        Literal["atropos", "synthseg", "freesurfer", "given", "none"],
        typer.Option(help="Who finds the tissues: ANTs, FreeSurfer now or before, the table, or nobody."),
    ] = "atropos",
    covariate: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Whose effect on tissues should be kept; age if there.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Lines that are scored at once.")] = 1,
    save_maps: Annotated[
        bool, typer.Option("--save-maps", help="Write where structures were lost and appeared, as NIfTI.")
    ] = False,
    overwrite: Overwrite = False,
) -> int:
    """Score harmonized scans, whoever made them."""
    from hail_mri.apps.evaluate import evaluate_pairs
    from hail_mri.apps.score_tables import SUMMARY
    from hail_mri.evaluation.pair_measures import MeasureSettings
    from hail_mri.evaluation.pair_table import read_pair_table

    with progress("scoring", total=len(read_pair_table(pairs))) as step:
        found = evaluate_pairs(
            pairs,
            output,
            MeasureSettings(scale, segmentation),
            n_processes=processes,
            overwrite=overwrite,
            step=step,
            covariate=covariate,
            save_maps=save_maps,
        )
    failed = [line for line in found if line.error]
    print(f"{len(found) - len(failed)} of {len(found)} lines scored, put together in {output / SUMMARY}")
    for line in found:
        for warning in line.warnings:
            say("warning", f"line {line.row.line}: {warning}")
    for line in failed:
        say("failed", f"line {line.row.line}: {line.error}")
    return EXIT_SOME_FAILED if failed else 0


def reproduce(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder; a run that stopped goes on.", show_default=False)
    ],
    preset: Annotated[
        Literal["small", "full"], typer.Option(help="2 subjects in each direction at 2 mm, or 10 at 1 mm.")
    ] = "small",
    label_maps: Annotated[
        Path | None, typer.Option(help="Folder of whole-head label maps; the built-in head without it.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME|PATH", help="A model to add; may be repeated.")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="What is done at once.")] = 1,
    overwrite: Overwrite = False,
) -> int:
    """Make the paper's tables on simulated scans, beside the published ones."""
    from hail_mri.apps.reproduction.drawing import FIGURE
    from hail_mri.apps.reproduction.methods import methods_with
    from hail_mri.apps.reproduction.reproduce import TABLES
    from hail_mri.apps.reproduction.reproduce import reproduce as make
    from hail_mri.apps.reproduction.study import study_of

    has_ants = find_spec("ants") is not None
    study = study_of(preset, methods_with(model or []), label_maps_dir=label_maps, has_ants=has_ants)
    if not has_ants:
        say("warning", "ANTs is not installed, so that there is no rAVD; pip install 'hail-mri[evaluate]'")
    found = make(study, output, n_processes=processes, overwrite=overwrite, progress=progress)
    failed = [f"line {line.row.line}: {line.error}" for line in found.scored if line.error]
    print(f"{len(found.scored) - len(failed)} results scored; see {output / TABLES} and {output / FIGURE}")
    for reason in (*found.not_made, *failed):
        say("failed", reason)
    return EXIT_SOME_FAILED if found.not_made or failed else 0
