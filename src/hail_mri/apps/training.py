"""Train a network from the command line: which run a phase is, and what is said without Lightning."""

from functools import partial
from pathlib import Path
from typing import Literal

from hail_mri.apps.terminal import say
from hail_mri.errors import InputError
from hail_mri.provenance.free_paths import require_writable_folder

Phase = Literal["tissues", "encoder", "style"]


def run_training(
    phase: Phase, config: Path, output: Path, *, label_maps: Path, init: str | None, minutes: float, resume: bool
) -> None:
    """Train a network, and say how it goes.

    Raises
    ------
    HailError
        If Lightning is not installed, the folder cannot be written, or the run cannot begin or go on.
    """
    try:
        from hail_mri.training.phases.paper_run import train
        from hail_mri.training.phases.tissue_run import train_tissues
    except ModuleNotFoundError as error:
        if error.name != "lightning":
            raise
        raise InputError("training needs Lightning, which is not installed", "pip install 'hail-mri[train]'") from error
    require_writable_folder(output)
    train_phase = train_tissues if phase == "tissues" else partial(train, phase)
    train_phase(
        config,
        output,
        label_maps_dir=label_maps,
        init=init,
        minutes=minutes,
        resume=resume,
        say=lambda line: say("train", line),
    )
