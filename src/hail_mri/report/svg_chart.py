"""A chart of lines that the page itself draws, so that it is sharp, small, and follows the colours of the page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hail_mri.report.page import environment

WIDTH, HEIGHT = 340, 170  # units of the drawing
LEFT, RIGHT, TOP, BOTTOM = 6, 6, 6, 34
STEPS = (1, 2, 5, 10)
MOST_TICKS = 7


@dataclass(frozen=True)
class Line:
    """A line of a chart; series from 1 have their own colour, width and dashes on all charts of a page.

    Attributes
    ----------
    series : int
        1 to 4.
    x, y : (n,) array of float
    """

    series: int
    x: NDArray[np.floating]
    y: NDArray[np.floating]


@dataclass(frozen=True)
class Marker:
    """A place on the x axis where only one number is known."""

    series: int
    x: float


def line_chart(
    lines: Sequence[Line], *, alt: str, x_label: str, x_limits: tuple[float, float], markers: Sequence[Marker] = ()
) -> Markup:
    """
    Draw lines over a common x axis.

    Parameters
    ----------
    lines : sequence of Line
        Later ones lie over earlier ones. The y axis goes from 0 to the highest point and has no numbers.
    alt : str
        What the chart shows, in words.
    x_label : str
    x_limits : pair of float
    markers : sequence of Marker
        Drawn as upright lines.
    """
    low, high = x_limits
    top = max((float(line.y.max()) for line in lines if line.y.size), default=0.0) or 1.0
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def across(x: float) -> float:
        return LEFT + width * (x - low) / (high - low)

    paths = [
        {
            "series": line.series,
            "points": " ".join(
                f"{across(x):.1f},{TOP + height * (1 - y / (1.03 * top)):.1f}"
                for x, y in zip(line.x.tolist(), line.y.tolist(), strict=True)
            ),
        }
        for line in lines
    ]
    return Markup(
        environment()
        .get_template("chart.html")
        .render(
            width=WIDTH,
            height=HEIGHT,
            base=HEIGHT - BOTTOM,
            top=TOP,
            left=LEFT,
            right=WIDTH - RIGHT,
            alt=alt,
            x_label=x_label,
            lines=paths,
            markers=[(marker.series, f"{across(marker.x):.1f}") for marker in markers if low <= marker.x <= high],
            ticks=[(f"{across(tick):.1f}", f"{tick:g}") for tick in _ticks(low, high)],
        )
    )


def legend(names: Sequence[tuple[int, str]]) -> Markup:
    """Return what the series of a page's charts are."""
    return Markup(environment().get_template("legend.html").render(names=names))


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two limits."""
    rough = (high - low) / MOST_TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * s for s in STEPS if power * s >= rough)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [float(round(step * k, 10)) for k in range(first, last + 1)]
