"""Charts of a study as SVG: the map of sites, and the probe. Sites differ in colour and in shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hail_mri.report.page import environment

N_COLOURS = 8  # of Okabe and Ito, see the style
# Within a circle of 5: the area is about that of a circle of 4.
SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
    "M-3.6-3.6h7.2v7.2h-7.2Z",
    "M0-5 4.7 3.4h-9.4Z",
    "M0-5 5 0 0 5-5 0Z",
    "M0 5 4.7-3.4h-9.4Z",
    "M-1.6-5h3.2v3.4h3.4v3.2h-3.4v3.4h-3.2v-3.4h-3.4v-3.2h3.4Z",
    "M-5-2 0-5 5-2 3 4.5h-6Z",
)
WIDTH, HEIGHT, EDGE = 340.0, 260.0, 14.0


@dataclass(frozen=True)
class Point:
    """A scan on a map, in pixels, with its site's number, the words for it, and where its link leads."""

    x: float
    y: float
    site: int
    words: str
    anchor: str


@dataclass(frozen=True)
class Bar:
    """An estimate with its interval, 0 to 1; no ends where there is no interval."""

    name: str
    estimate: float
    low: float | None
    high: float | None


def colour_of(site: int) -> int:
    """Return the number of a site's colour."""
    return site % N_COLOURS


def shape_of(site: int) -> str:
    """Return the path of a site's shape; 56 sites have each their own colour and shape."""
    return SHAPES[site % len(SHAPES)]


def scatter(
    places: NDArray[np.float64],
    limits: NDArray[np.float64],
    sites: Sequence[int],
    words: Sequence[str],
    anchors: Sequence[str],
    *,
    name: str,
) -> Markup:
    """
    Return a map of scans.

    Parameters
    ----------
    places : (n, 2) ndarray of float
    limits : (2, 2) ndarray of float
        Smallest and largest coordinates, the same for maps that are compared.
    sites : sequence of int
        From 0, of each scan.
    words, anchors : sequence of str
        Of each scan: what is shown when it is pointed at, and where a click leads on the page.
    name : str
        Of the map, in its corner.
    """
    span = np.maximum(limits[1] - limits[0], 1e-12)
    scaled = (places - limits[0]) / span
    pixels = np.array([EDGE, HEIGHT - EDGE]) + scaled * np.array([WIDTH - 2 * EDGE, 2 * EDGE - HEIGHT])
    points = [
        Point(round(x, 1), round(y, 1), site, text, anchor)
        for (x, y), site, text, anchor in zip(pixels.tolist(), sites, words, anchors, strict=True)
    ]
    return _macro("scatter", points, WIDTH, HEIGHT, name, [shape_of(point.site) for point in points])


def site_legend(names: Sequence[str]) -> Markup:
    """Return the legend of sites, in the order of their numbers."""
    return _macro("legend", [(name, colour_of(number), shape_of(number)) for number, name in enumerate(names)])


def bars(rows: Sequence[Bar], chance: float, *, title: str) -> Markup:
    """
    Return estimates with their intervals, and a line for chance, all from 0 to 100 %.

    Parameters
    ----------
    rows : sequence of Bar
    chance : float
        0 to 1.
    title : str
        What the chart shows, for those who cannot see it.
    """
    return _macro("bars", rows, chance, title)


def tiles(counts: Sequence[tuple[int, str, Markup]]) -> Markup:
    """Return numbers that are to be seen first, each with its words and its badge."""
    return _macro("tiles", counts)


def mosaic_of(groups: Sequence[Any], size: int) -> Markup:
    """Return groups of pictures; see `mosaic`."""
    return _macro("mosaic", groups, size)


def _macro(name: str, *arguments: Any) -> Markup:
    """Return what a macro of the template of studies makes."""
    return Markup(getattr(_macros(), name)(*arguments))


@cache
def _macros() -> Any:
    """Return the macros of the template."""
    return environment().get_template("study.html").module
