"""Train a network from the command line: which run a phase is, and what is said without Lightning."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hail_mri.apps.terminal import say
from hail_mri.errors import InputError
from hail_mri.provenance.atomic_write import write_together
from hail_mri.provenance.free_paths import require_writable_folder

if TYPE_CHECKING:
    from hail_mri.training.running.run_folder import RunFolder

Phase = Literal["tissues", "encoder", "style", "liu"]


def run_training(
    phase: Phase,
    config: Path,
    output: Path,
    *,
    label_maps: Path | None,
    scans: Path | None,
    init: str | None,
    minutes: float,
    resume: bool,
    devices: int,
    nodes: int,
) -> None:
    """Train a network, and say how it goes; its learning log and curves lie beside the weights.

    Raises
    ------
    HailError
        If Lightning is not installed, the folder cannot be written, or the run cannot begin or go on.
    """
    from hail_mri.report.example_picture import save_example

    try:
        from hail_mri.training.phases.gan_run import train_gan
        from hail_mri.training.phases.paper_run import train
        from hail_mri.training.phases.paper_source import PairFiles
        from hail_mri.training.phases.tissue_run import train_tissues
        from hail_mri.training.running.processes import Processes, is_first_process
        from hail_mri.training.running.run_folder import RunFolder
    except ModuleNotFoundError as error:
        if error.name != "lightning":
            raise
        raise InputError("training needs Lightning, which is not installed", "pip install 'hail-mri[train]'") from error
    if scans is None and label_maps is None:
        raise InputError("there is nothing to learn from", "give --scans TABLE, --label-maps FOLDER, or both")
    require_writable_folder(output)
    run: dict[str, Any] = {"minutes": minutes, "resume": resume, "say": partial(say, "train")}
    options = {**run, "init": init, "draw": save_example, "processes": Processes(devices, nodes)}
    if phase == "liu":
        _require_alone(devices, nodes)
        train_gan(config, output, files=PairFiles(label_maps, scans), init=init, **run)
    elif phase != "tissues":
        train(phase, config, output, files=PairFiles(label_maps, scans), **options)
    elif label_maps is None or scans is not None:
        raise InputError("the tissue network learns from simulated scans alone", "give --label-maps, and no --scans")
    else:
        train_tissues(config, output, label_maps_dir=label_maps, **options)
    if is_first_process():
        _write_curves(RunFolder(output, phase))


def _require_alone(devices: int, nodes: int) -> None:
    """Refuse what the networks of Liu et al. cannot do."""
    if (devices, nodes) != (1, 1):
        raise InputError(
            f"--devices {devices} --nodes {nodes} is given, but the networks of Liu et al. learn in one process",
            "leave both away",
        )


def _write_curves(folder: "RunFolder") -> None:
    """Write what a phase logged as a table and as a picture."""
    from hail_mri.report.learning_curves import save_learning_curves
    from hail_mri.training.running.learning_log import read_learning_log

    table = read_learning_log(folder.phase_dir)
    write_together([folder.log_path], lambda hidden: table.to_csv(hidden[folder.log_path], sep="\t", index=False))
    save_learning_curves(table, folder.curves_path, title=f"{folder.out_dir.resolve().name}, {folder.phase}")
