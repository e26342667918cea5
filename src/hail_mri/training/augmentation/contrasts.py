"""How bright tissues are, and how wrong the scale of a scan: what no signal equation says."""

from __future__ import annotations

import torch
from torch import Tensor

from hail_mri.simulation.tissues import INDEX_OF, TISSUES
from hail_mri.training.augmentation.chances import chance, uniform

SCALE_ERROR = 0.07  # standard deviation of the log of the white-matter intensity that a scan is scaled by
WILD_SCALE_ERROR = 0.25  # the same, of one scan in ten
WILD_GAIN = 0.35  # standard deviation of the log of all tissues' signals, of one scan in three


def tissue_gain(generator: torch.Generator) -> Tensor:
    """Draw factors on the tissues' signals: a third of the scans have any contrast, an eighth a contrast agent."""
    gain = torch.ones(len(TISSUES))
    if chance(1 / 3, generator):
        gain = torch.exp(WILD_GAIN * torch.randn(len(TISSUES), generator=generator))
    if chance(1 / 8, generator):
        gain[INDEX_OF["blood"]] *= uniform(1.5, 4.0, generator)
    gain[INDEX_OF["lesion"]] *= uniform(0.6, 1.1, generator)
    return gain


def scale_error(generator: torch.Generator) -> float:
    """Draw how wrong the white-matter intensity is that the scan is scaled by."""
    sigma = WILD_SCALE_ERROR if chance(0.1, generator) else SCALE_ERROR
    return float(torch.exp(sigma * torch.randn((), generator=generator)))


def random_gamma(generator: torch.Generator) -> float:
    """Draw the power a site takes its intensities to; for two thirds of the sites it is 1."""
    is_one, size = torch.rand(2, generator=generator).tolist()
    return 1.0 if is_one > 1 / 3 else 0.8 + 0.45 * size
