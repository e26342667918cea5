"""Whether result and truth of a line seem to be in the target's unit, by their white matter."""

from collections.abc import Iterator, Sequence

import numpy as np

from hail_mri.baselines.do_nothing import white_matter_intensity
from hail_mri.errors import InputError
from hail_mri.evaluation.label_schemes import WHITE_MATTER
from hail_mri.evaluation.pair_scans import PairScans
from hail_mri.evaluation.tissue_profile import TissueProfile

MOST_OF_RESULT = 2.0  # times the target's white matter, or a part of it: no harmonization is meant to be that far off
MOST_OF_TRUTH = 0.02  # of the target's white matter; 2 % of it limit the PSNR to about 34 dB


def units_in_doubt(scans: PairScans, profiles: Sequence[TissueProfile]) -> Iterator[str]:
    """Yield what speaks against the unit of the result or the truth; nothing where all is as it should be.

    Parameters
    ----------
    scans : PairScans
        On the scale of the target's units.
    profiles : sequence of TissueProfile
        Of these scans. The truth is looked at where the tissues are known.
    """
    try:
        found, expected = (white_matter_intensity(scan) for scan in (scans.harmonized, scans.target))
    except InputError as error:
        yield f"the unit of the result cannot be checked: {error}"
    else:
        if not expected / MOST_OF_RESULT <= found <= expected * MOST_OF_RESULT:
            yield (
                f"white matter is at {found:.4g} in the result and at {expected:.4g} in the target: if the result is "
                "in a unit of its own, score it with --scale min-max"
            )
    white = {each.scan: each.mean for each in profiles if each.tissue == WHITE_MATTER and each.mean is not None}
    if "truth" in white and "target" in white:
        truth, target = scans.profile_scale.invert(np.array([white["truth"], white["target"]]))
        if abs(truth - target) > MOST_OF_TRUTH * abs(target):
            yield (
                f"white matter is at {truth:.4g} in the truth and at {target:.4g} in the target: a truth that is not "
                "in the target's unit makes PSNR, SSIM and MAE worse than they are; if so, multiply it by "
                f"{target / truth:.4g}"
            )
