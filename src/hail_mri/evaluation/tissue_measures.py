"""What is measured tissue by tissue of one line: equations 1 and 2, Dice, and the error of the segmentation itself."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hail_mri.evaluation.label_schemes import THREE_TISSUES
from hail_mri.evaluation.measured import PERCENT, SHARE, Measured, measured_distances
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.overlap import dice_of_structures
from hail_mri.evaluation.pair_labels import PairLabels
from hail_mri.evaluation.pair_scans import PairScans
from hail_mri.evaluation.structure_nwd import nwd_of_structures
from hail_mri.evaluation.volume_difference import ravd_of_structures

FLOOR, KNOWN_DICE = "rAVD floor", "Dice with labels given"
NOT_KNOWN = "what the source's tissues really are is not known"


def measure_tissues(scans: PairScans, labels: PairLabels) -> Iterator[Measured]:
    """Measure each tissue of a line.

    Parameters
    ----------
    scans : PairScans
    labels : PairLabels

    Yields
    ------
    Measured
        nWD(i,p), nWD(t,p), rAVD and Dice; and, where the source's tissues are known, rAVD and Dice of the engine's
        source labels with these: a rAVD below its floor is within the error of the engine.
    """
    distances = nwd_of_structures(
        scans.source.data,
        scans.target.data,
        scans.harmonized.data,
        source_labels=labels.source,
        target_labels=labels.target,
        structures=THREE_TISSUES,
    )
    volumes = ravd_of_structures(labels.source, labels.harmonized, THREE_TISSUES)
    overlaps = dice_of_structures(labels.source, labels.harmonized, THREE_TISSUES)
    floors, known = _engine_errors(labels.source, labels.known)
    for name in THREE_TISSUES:
        yield from measured_distances(distances[name], name)
        yield Measured("rAVD", name, PERCENT, volumes[name])
        yield Measured("Dice", name, SHARE, overlaps[name])
        yield Measured(FLOOR, name, PERCENT, floors[name])
        yield Measured(KNOWN_DICE, name, SHARE, known[name])


def _engine_errors(
    found: NDArray[np.uint8], known: NDArray[np.uint8] | None
) -> tuple[dict[str, Measurement], dict[str, Measurement]]:
    """Compare what the engine finds in the source with what is known to be there."""
    if known is None:
        missing = dict.fromkeys(THREE_TISSUES, Measurement.undefined(NOT_KNOWN))
        return missing, missing
    return ravd_of_structures(known, found, THREE_TISSUES), dice_of_structures(known, found, THREE_TISSUES)
