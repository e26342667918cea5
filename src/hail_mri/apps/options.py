"""Options and exit statuses that several verbs of the command line share; defaults are written where they are used."""

from pathlib import Path
from typing import Annotated

import typer

Output = Annotated[Path, typer.Option("--output", "-o", help="Where the result goes.", show_default=False)]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that exist.")]
Force = Annotated[bool, typer.Option("--force", help="Go on with a scan that fails a check.")]
Model = Annotated[str, typer.Option(metavar="NAME|PATH", help="Shipped weights, or a safetensors file.")]
Threads = Annotated[int | None, typer.Option(metavar="N", help="CPU threads.")]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same result.")]
NProcesses = Annotated[
    int | None, typer.Option("--workers", metavar="N", help="Processes for many scans; 0 is this one alone.")
]
MemoryGb = Annotated[float | None, typer.Option(metavar="X", help="Memory for all workers together, GB.")]
DaskScheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS|local", help="Dask cluster to work on, for many scans.")
]

EXIT_SOME_FAILED = 70  # of a batch
