"""How a scan is prepared: the presets, and the only place where their defaults are written."""

from dataclasses import dataclass
from typing import Literal

Scaling = Literal["white matter", "min-max"]
Preset = Literal["robust", "paper"]


@dataclass(frozen=True, kw_only=True)
class PreprocessSettings:
    """What is done to a scan.

    Attributes
    ----------
    bias_correction : bool
        N4.
    scaling : "white matter" or "min-max"
        What becomes 1: white matter is 0.6, whatever is brighter; or the brightest voxel, as in the paper.
    """

    bias_correction: bool = True
    scaling: Scaling = "white matter"


PRESETS: dict[Preset, PreprocessSettings] = {
    "robust": PreprocessSettings(),
    "paper": PreprocessSettings(scaling="min-max"),  # section 3.1
}
