"""The verb that scores results: evaluate. It calls the library."""

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
        Literal["atropos", "given", "none"], typer.Option(help="Who finds the tissues: ANTs, the table, or nobody.")
    ] = "atropos",
    processes: Annotated[int, typer.Option(min=1, help="Lines that are scored at once.")] = 1,
    overwrite: Overwrite = False,
) -> int:
    """Score harmonized scans, whoever made them."""
    from hail_mri.apps.evaluate import SUMMARY, evaluate_pairs
    from hail_mri.evaluation.pair_measures import MeasureSettings
    from hail_mri.evaluation.pair_table import read_pair_table

    with progress("scoring", total=len(read_pair_table(pairs))) as step:
        found = evaluate_pairs(
            pairs, output, MeasureSettings(scale, segmentation), n_processes=processes, overwrite=overwrite, step=step
        )
    failed = [line for line in found if line.error]
    print(f"{len(found) - len(failed)} of {len(found)} lines scored, put together in {output / SUMMARY}")
    for line in failed:
        say("failed", f"line {line.row.line}: {line.error}")
    return EXIT_SOME_FAILED if failed else 0
