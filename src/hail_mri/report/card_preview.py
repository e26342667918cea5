"""A picture of a style card: what it says of each tissue, beside what usual protocols make of it.

Left, the mean intensity of each tissue class, with two standard errors to either side; behind it, where the class lies
in simulated protocols of each kind of sequence (5th to 95th percentile). Right, the share of each class in the volume.
A card holds no distribution within a tissue and no image: none can be shown.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hail_mri.errors import InputError
from hail_mri.harmonize.style_card import StyleCard
from hail_mri.model.tissue_classes import BACKGROUND, TISSUE_CLASSES, WHITE_MATTER
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.provenance.free_paths import require_file_free
from hail_mri.report.canvas import new_figure, save_png
from hail_mri.simulation.protocol_ranges import protocol_ranges

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES = (10.0, 5.6)
ERRORS_SHOWN = 2.0  # standard errors to either side
UNKNOWN_ERROR = 0.3  # with a larger one, on a scale of white matter 0.6, nothing is known of a class
# Wong, Nature Methods 8:441 (2011): told apart by colour-blind people, too.
COLOURS = ("#E69F00", "#56B4E9", "#009E73")
CARD_COLOUR, UNKNOWN_COLOUR = "black", "0.7"
ROW = 0.24  # height of a bar, of the distance of two rows


def card_preview(card: StyleCard, path: Path, *, title: str = "", overwrite: bool = False) -> None:
    """Write the picture of a style card as PNG.

    Parameters
    ----------
    card : StyleCard
    path : Path
    title : str
    overwrite : bool

    Raises
    ------
    InputError
        If the card is not one of tissues.
    OutputExistsError, UnwritableError
    """
    style = card.style
    if not isinstance(style, TissueStyle):
        raise InputError(f"the card is of the model {card.model}, which knows no tissues", "use a card of compact")
    require_file_free(path, overwrite=overwrite)
    order = [int(k) for k in np.argsort(style.means) if k != BACKGROUND]
    names = [TISSUE_CLASSES[k].replace("_", " ") for k in order]
    figure = new_figure(INCHES)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2.2, 1))
    _draw_ranges(left, order, style.means[WHITE_MATTER])
    _draw_means(left, style, order)
    left.set_yticks(range(len(order)), names)
    left.set_xlabel("mean intensity (white matter is 0.6)")
    units = left.secondary_xaxis("top", functions=(lambda x: card.low + x * (card.high - card.low), card.scale.apply))
    units.set_xlabel("in the site's units")
    left.legend(loc="lower right", fontsize="small", framealpha=0.9)
    right.barh(range(len(order)), [100 * style.fractions[k] for k in order], color="0.4")
    right.set_xlabel("share of the volume, %")
    scans = "1 scan" if card.n_scans == 1 else f"{card.n_scans} scans"
    figure.suptitle(f"{title + ': ' if title else ''}style card of {scans}, model {card.model}")
    save_png(figure, path)


def _draw_ranges(axes: "Axes", order: list[int], white_matter: float) -> None:
    """Show where usual protocols have each class, a bar for each kind of sequence."""
    for place, (family, ranges) in enumerate(protocol_ranges(white_matter).items()):
        low, high = ranges[order].T
        rows = np.arange(len(order)) + (place - 1) * ROW
        axes.barh(rows, high - low, left=low, height=ROW, color=COLOURS[place], alpha=0.55, label=f"usual {family}")


def _draw_means(axes: "Axes", style: TissueStyle, order: list[int]) -> None:
    """Show the class means; those of which nothing is known in grey, without an error."""
    known = [row for row, k in enumerate(order) if style.errors[k] <= UNKNOWN_ERROR]
    unknown = [row for row in range(len(order)) if row not in known]
    means = np.array([style.means[k] for k in order])
    errors = ERRORS_SHOWN * np.array([style.errors[k] for k in order])
    axes.errorbar(means[known], known, xerr=errors[known], fmt="o", color=CARD_COLOUR, capsize=3, label="this card")
    if unknown:
        axes.plot(means[unknown], unknown, "x", color=UNKNOWN_COLOUR, label="hardly known")
