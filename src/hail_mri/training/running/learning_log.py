"""What a phase logged, over all its parts: Lightning begins a new table whenever a run is resumed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hail_mri.errors import InputError

STEP = "step"


def read_learning_log(phase_dir: Path) -> pd.DataFrame:
    """Read the losses of a phase.

    Parameters
    ----------
    phase_dir : Path
        The folder of the phase in that of its run.

    Returns
    -------
    table : DataFrame
        A row for each step at which something was logged, in their order: `step` and `epoch`, counted from 0,
        `train_*`, of the batch of that step, and `validation_*`, at the ends of epochs. What a run had logged after
        the checkpoint from which it was resumed is left out, for those steps were made again.

    Raises
    ------
    InputError
        If there is no log, or it cannot be read.
    """
    paths = sorted(phase_dir.glob("log/version_*/metrics.csv"), key=_version)
    if not paths:
        raise InputError(f"no log in {phase_dir}", "give the folder of a phase that has begun to learn")
    parts: list[pd.DataFrame] = []
    for path in paths:
        part = _read(path)
        parts = [before[before[STEP] < part[STEP].min()] for before in parts]
        parts.append(part)
    # Training and validation are logged in rows of their own.
    return pd.concat(parts, ignore_index=True).groupby(STEP, as_index=False).first()


def _version(path: Path) -> int:
    """Return the number of a part; names alone put the tenth before the second."""
    number = path.parent.name.removeprefix("version_")
    return int(number) if number.isdigit() else -1


def _read(path: Path) -> pd.DataFrame:
    """Read the table of one part."""
    try:
        part = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if STEP not in part:
        raise InputError(f"{path} has no column {STEP}")
    return part
