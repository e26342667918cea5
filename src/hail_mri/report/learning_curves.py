"""The picture of how a network learned: each term of its loss, step by step, in training and validation."""

from pathlib import Path

import pandas as pd

from hail_mri.errors import InputError
from hail_mri.report.canvas import new_figure, save_png

TRAINING, VALIDATION = "train_", "validation_"
TOTAL = f"{VALIDATION}loss"
SMOOTHED = 11  # logged steps, over which the running median is taken


def save_learning_curves(table: pd.DataFrame, path: Path, *, title: str) -> None:
    """Draw a learning log as PNG; a file that is there is replaced.

    Parameters
    ----------
    table : DataFrame
        `step`, counted from 0, and columns that begin with `train_` or `validation_`, each NaN where nothing was
        logged; a `validation_loss` is the sum of the terms.
    path : Path
        The PNG file.
    title : str
        Printed on top.

    Raises
    ------
    InputError
        If nothing was logged.
    UnwritableError
        If the picture cannot be written.

    Notes
    -----
    Losses fall by powers of ten, so that their axis is logarithmic, where a loss that reaches 0 has a gap;
    that of a loss that is never above 0, as one that is to grow, is linear.
    """
    terms = [name.removeprefix(TRAINING) for name in table if str(name).startswith(TRAINING)]
    panels = [*terms, "sum of the terms"] if TOTAL in table and len(terms) > 1 else terms
    if not panels or table.empty:
        raise InputError("nothing was logged, so there is nothing to draw")
    figure = new_figure((4.2 * len(panels), 3.6))
    figure.suptitle(title)
    for ax, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        steps = table["step"] + 1
        if name in terms:
            learned = table[TRAINING + name]
            smooth = learned.dropna().rolling(SMOOTHED, center=True, min_periods=1).median()
            ax.plot(steps, learned, color="0.75", linewidth=0, marker=".", markersize=2, label="training, a batch")
            ax.plot(steps[smooth.index], smooth, color="C0", label="training, running median")
        shown = [table[TRAINING + name]] if name in terms else []
        validated = TOTAL if name not in terms else VALIDATION + name
        if validated in table:
            seen = table[validated].dropna()
            shown.append(seen)
            ax.plot(steps[seen.index], seen, color="C1", marker="o", markersize=3, label="validation")
        has_powers = any((values > 0).any() for values in shown)
        ax.set(yscale="log" if has_powers else "linear", xlabel="step", title=name)
    figure.axes[0].legend(fontsize="x-small")
    save_png(figure, path)
