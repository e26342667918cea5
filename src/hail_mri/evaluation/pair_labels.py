"""Label maps of a source, its target and its result: of Atropos, or those that a table names."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.atropos import segment_by_atropos
from hail_mri.evaluation.pair_table import PairRow
from hail_mri.evaluation.scored_pair import check_on_source_grid
from hail_mri.evaluation.structures import label_map
from hail_mri.image.nifti import read_volume
from hail_mri.image.volume import Volume

Segmentation = Literal["atropos", "given", "none"]
Labels = NDArray[np.integer]


@dataclass(frozen=True)
class PairLabels:
    """Label maps, each on the grid of its scan."""

    source: Labels
    target: Labels
    harmonized: Labels


def labels_of_pair(
    row: PairRow,
    segmentation: Literal["atropos", "given"],
    source: Volume,
    target: Volume,
    harmonized: Volume,
    *,
    brain: NDArray[np.bool_] | None,
    target_brain: NDArray[np.bool_] | None,
) -> PairLabels:
    """Return the label maps of a line.

    Parameters
    ----------
    row : PairRow
    segmentation : "atropos" or "given"
    source, target, harmonized : Volume
    brain, target_brain : bool array of the scan's shape, or None
        Where Atropos looks. The result is segmented in the source's mask: it has the source's brain.

    Raises
    ------
    InputError
        If the line has no masks for Atropos, or lacks a label map, or one is on another grid or holds no labels; or as
        `segment_by_atropos`.
    """
    if segmentation == "given":
        return PairLabels(
            *(
                _given(row, name, scan)
                for name, scan in (("labels", source), ("target_labels", target), ("harmonized_labels", harmonized))
            )
        )
    if brain is None or target_brain is None:
        raise InputError(
            "Atropos needs brain masks of source and target, and the line has none",
            "add the columns brain_mask and target_brain_mask, or choose another segmentation",
        )
    return PairLabels(
        segment_by_atropos(source, brain),
        segment_by_atropos(target, target_brain),
        segment_by_atropos(harmonized, brain),
    )


def _given(row: PairRow, name: str, scan: Volume) -> Labels:
    """Read a label map that the table names."""
    if name not in row.files:
        raise InputError(f"the line has no {name}", "add the column, or choose another segmentation")
    volume = read_volume(row.files[name])
    check_on_source_grid(volume, scan, f"the label map {row.files[name]}")
    return label_map(volume.data, name)
