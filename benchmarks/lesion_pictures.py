"""Pictures of cases with lesions: each method's result in the slice with most of the lesions, and what was found."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hail_mri.evaluation.found_structures import FoundStructures
from hail_mri.image.volume import Volume

COLOURS = {"lost": (0.0, 0.5, 1.0), "appeared": (1.0, 0.2, 0.0)}


def draw_results(
    volumes: Mapping[str, Volume],
    found: Mapping[str, Mapping[str, FoundStructures]],
    lesions: NDArray[np.bool_],
    path: Path,
) -> None:
    """Draw source and results in an axial slice; below each result what was lost (blue) and what appeared (red).

    Parameters
    ----------
    volumes : mapping of str to Volume
        The source, about RAS+, then results by method, on its grid.
    found : mapping of str to mapping
        By method: "lost" and "appeared".
    lesions : (I, J, K) bool array
        Not empty.
    path : Path
        PNG.
    """
    k = int(lesions.sum(axis=(0, 1)).argmax())
    figure = Figure(figsize=(2.4 * len(volumes), 6.4), layout="constrained")
    for axes, (name, volume) in zip(figure.subplots(2, len(volumes)).T, volumes.items(), strict=True):
        for axis in axes:
            axis.imshow(volume.data[..., k].T, cmap="gray", origin="lower", vmin=0, vmax=_white(volume))
            axis.axis("off")
        axes[0].set_title(name, fontsize=8)
        if name not in found:
            axes[1].contour(lesions[..., k].T, levels=[0.5], colors="yellow", linewidths=0.7)
            continue
        for search, colour in COLOURS.items():
            overlay = np.zeros((*lesions.shape[:2], 4))
            overlay[found[name][search].contrast[..., k] != 0] = (*colour, 0.8)
            axes[1].imshow(overlay.transpose(1, 0, 2), origin="lower")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def _white(volume: Volume) -> float:
    """Return the intensity that is drawn white."""
    return float(np.percentile(volume.data[volume.data > 0], 97))
