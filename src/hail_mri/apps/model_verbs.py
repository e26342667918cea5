"""The verbs that work on models: train, export and info. Each calls the library."""

import json
import math
from pathlib import Path
from typing import Annotated

import typer

from hail_mri.apps.export_model import ExportFormat, export_model
from hail_mri.apps.findings import say_warnings
from hail_mri.apps.options import Output, Overwrite
from hail_mri.apps.terminal import progress
from hail_mri.apps.training import Phase, run_training


def train(
    phase: Annotated[
        Phase, typer.Argument(help="The tissue network, a phase of the paper, or the baseline of Liu et al.")
    ],
    *,
    config: Annotated[Path, typer.Option(help="Settings, as TOML.")],
    output: Output,
    scans: Annotated[
        Path | None, typer.Option(metavar="TSV", help="Table of scans: subject, site, path, perhaps split.")
    ] = None,
    label_maps: Annotated[Path | None, typer.Option(help="Folder of label maps to simulate heads of.")] = None,
    init: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Weights to start from.")] = None,
    minutes: Annotated[
        float, typer.Option(min=0.1, help="When to end, of wall time; heads and validation count.")
    ] = math.inf,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run stopped.")] = False,
    devices: Annotated[
        int, typer.Option(min=1, help="GPUs of each machine that learn together, or CPU processes without a GPU.")
    ] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines that learn together; start this on each.")] = 1,
) -> None:
    """Train a network on scans, simulated or your own."""
    run_training(
        phase,
        config,
        output,
        label_maps=label_maps,
        scans=scans,
        init=init,
        minutes=minutes,
        resume=resume,
        devices=devices,
        nodes=nodes,
    )


def export(
    model: Annotated[
        str,
        typer.Argument(metavar="NAME|PATH", help="Shipped weights, a safetensors file, or the folder of a run."),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the bundle, or the .onnx file.", show_default=False)
    ],
    file_format: Annotated[ExportFormat, typer.Option("--format", help="A MONAI bundle, or an ONNX file.")],
    overwrite: Overwrite = False,
) -> None:
    """Write a model as a file that other programs can run."""
    with progress("exporting"):
        warnings = export_model(model, output, file_format, overwrite=overwrite)
    say_warnings(warnings)


def info(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show versions, weights with their hashes, and devices."""
    from hail_mri.apps.info import collect_info, format_info

    found = collect_info()
    print(json.dumps(found, indent=2) if as_json else format_info(found))
