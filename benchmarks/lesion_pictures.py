"""Pictures of cases with lesions: each method's result in the slice with most of the lesions, and what was found."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hail_mri.evaluation.structure_searches import appeared_structures, lost_structures
from hail_mri.image.volume import Volume


def draw_results(
    source: Volume, results: Mapping[str, Volume], lesions: NDArray[np.bool_], brain: NDArray[np.bool_], path: Path
) -> None:
    """Draw source and results in an axial slice; below each result what was lost (blue) and what appeared (red).

    Parameters
    ----------
    source : Volume
        RAS+, about.
    results : mapping of str to Volume
        By method, on its grid.
    lesions, brain : (I, J, K) bool array
    path : Path
        PNG.
    """
    k = int(lesions.sum(axis=(0, 1)).argmax()) if lesions.any() else int(brain.sum(axis=(0, 1)).argmax())
    where = np.argwhere(brain.any(axis=2))
    box = tuple(slice(low, high + 1) for low, high in zip(where.min(axis=0), where.max(axis=0), strict=True))
    figure = Figure(figsize=(2.2 * (len(results) + 1), 5.6), layout="constrained")
    axes = figure.subplots(2, len(results) + 1)
    for n, (name, volume) in enumerate({"source": source, **results}.items()):
        values = volume.data[..., k]
        high = np.percentile(volume.data[brain], 99)
        for axis in axes[:, n]:
            axis.imshow(values[box].T, cmap="gray", origin="lower", vmin=0, vmax=high)
            axis.axis("off")
        axes[0, n].set_title(name, fontsize=8)
        if n == 0:
            axes[1, n].contour(lesions[..., k][box].T, levels=[0.5], colors="yellow", linewidths=0.7)
            continue
        for search, colour in ((lost_structures, (0, 0.5, 1)), (appeared_structures, (1, 0.2, 0))):
            found = search(source.data, volume.data, mask=brain, spacing=source.spacing)
            overlay = np.zeros((*found.contrast.shape[:2], 4))
            overlay[found.contrast[..., k] != 0] = (*colour, 0.8)
            axes[1, n].imshow(overlay[box].transpose(1, 0, 2), origin="lower")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
