"""Simulated travelling subjects as pairs to score; the only module here that knows of the simulator."""

import numpy as np
from numpy.typing import NDArray

from hail_mri.evaluation.scored_pair import ScoredPair, unit_factor
from hail_mri.image.volume import Volume
from hail_mri.simulation.travelling import TravellingPair


def simulated_pair(travelling: TravellingPair, target: Volume, *, target_white_matter: NDArray[np.bool_]) -> ScoredPair:
    """Bring truth and rescan of a travelling subject to the target's unit, both by one factor.

    Parameters
    ----------
    travelling : TravellingPair
        The source with its truth, rescan and masks.
    target : Volume
        The example all methods are given, any grid.
    target_white_matter : (I, J, K) array of bool
        Where the target is pure white matter.

    Raises
    ------
    InputError
        As `unit_factor` and `ScoredPair`.
    """
    factor = unit_factor(
        travelling.truth, target, white_matter=travelling.white_matter, target_white_matter=target_white_matter
    )
    truth, rescan = (scan.with_data(scan.data * factor) for scan in (travelling.truth, travelling.rescan))
    return ScoredPair(
        travelling.source, target, truth, rescan, brain_mask=travelling.brain_mask, head_mask=travelling.head_mask
    )
