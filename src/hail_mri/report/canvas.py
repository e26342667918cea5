"""An empty figure of matplotlib, without a window and without a word."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hail_mri.provenance.atomic_write import write_together

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 150


def new_figure(inches: tuple[float, float]) -> "Figure":
    """
    Make an empty figure that can be written as PNG.

    Parameters
    ----------
    inches : (width, height) tuple of float

    Notes
    -----
    Where the home folder cannot be written to, as in many containers, matplotlib keeps its settings in a temporary
    folder, which it removes at the end.
    """
    with _without_warnings():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_png(figure: "Figure", path: Path) -> None:
    """Write a picture, the same bytes for the same picture; a file that is there is replaced."""
    write_together([path], lambda hidden: figure.savefig(hidden[path], format="png", metadata={"Software": None}))


def save_chart(figure: "Figure", stem: Path) -> None:
    """Write a chart as PNG and, to be scaled, as SVG: the same bytes for the same chart.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    stem : Path
        Of both files, without a suffix; files that are there are replaced.
    """
    from matplotlib import rc_context

    paths = {suffix: stem.with_name(f"{stem.name}.{suffix}") for suffix in ("png", "svg")}

    def write(hidden: Mapping[Path, Path]) -> None:
        figure.savefig(hidden[paths["png"]], format="png", metadata={"Software": None})
        with rc_context({"svg.hashsalt": stem.name}):  # names of parts are drawn at random without it
            figure.savefig(hidden[paths["svg"]], format="svg", metadata={"Date": None})

    write_together(list(paths.values()), write)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep matplotlib from telling where it keeps its settings; it does so when it is imported."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
