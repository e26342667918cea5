"""What was lost and what appeared in a result, as numbers of a line and as maps on the source's grid."""

from collections.abc import Iterator

import numpy as np

from hail_mri.evaluation.found_structures import FoundStructures
from hail_mri.evaluation.measured import SHARE, Measured, value_or_reason
from hail_mri.evaluation.pair_scans import PairScans
from hail_mri.evaluation.structure_searches import appeared_structures, lost_structures

LOST, APPEARED = "lost structures", "appeared structures"
HEAD, BRAIN = "head", "brain"
NO_BRAIN = "there is no brain mask"


def measure_structures(scans: PairScans) -> tuple[list[Measured], dict[str, FoundStructures]]:
    """Search the head for what was lost and what appeared, and then the brain, whose curves the scalp does not draw.

    Parameters
    ----------
    scans : PairScans

    Returns
    -------
    numbers : list of Measured
        Volume, number and largest of each, in the head and in the brain.
    maps : dict of str to FoundStructures
        By metric: in the brain mask, if there is one, what the search of the brain has found, elsewhere that of the
        head.
    """
    source, result, spacing = scans.source.data, scans.harmonized.data, scans.source.spacing
    numbers: list[Measured] = []
    maps = {}
    for metric, search in ((LOST, lost_structures), (APPEARED, appeared_structures)):
        found = search(source, result, mask=scans.head, spacing=spacing)
        numbers += _numbers(metric, HEAD, found)
        of_brain = None
        if scans.brain is not None:
            of_brain = search(source, result, mask=scans.brain, spacing=spacing)
            found = FoundStructures(np.where(scans.brain, of_brain.contrast, found.contrast), found.spacing)
        numbers += _numbers(metric, BRAIN, of_brain)
        maps[metric] = found
    return numbers, maps


def _numbers(metric: str, region: str, found: FoundStructures | None) -> Iterator[Measured]:
    """Return volume, number and largest of what was found; why there are none, where there is no brain mask."""
    numbers = ("", "ml", "volume_ml"), (", number", SHARE, "n_structures"), (", largest", "ml", "largest_ml")
    for part, unit, name in numbers:
        value = None if found is None else float(getattr(found, name))
        yield Measured(f"{metric}{part}", region, unit, value_or_reason(value, NO_BRAIN if found is None else ""))
