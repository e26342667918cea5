"""The style of a scan as the paper's network sees it: mean and standard deviation of each feature channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch

from hail_mri.errors import InputError
from hail_mri.model.adain import Statistics
from hail_mri.model.tissue_style import rounded

Numbers = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class FeatureStyle:
    """Statistics of a scan's features.

    Attributes
    ----------
    means, stds : tuple of tuples of float
        One tuple a stage of the encoder, one number a channel; with the digits of a float32, so that a style read from
        a file is the style that was written.

    Raises
    ------
    InputError
        If a number is not finite or a standard deviation not above 0.
    """

    means: Numbers
    stds: Numbers

    def __post_init__(self) -> None:
        if not all(math.isfinite(n) for stages in (self.means, self.stds) for stage in stages for n in stage):
            raise InputError("a feature style holds numbers that are not finite")
        if not all(n > 0 for stage in self.stds for n in stage):
            raise InputError("a feature style holds standard deviations that are not above 0")

    @classmethod
    def from_statistics(cls, stages: Sequence[Statistics]) -> Self:
        """Make a style of the statistics of a volume, one a stage, each (1, C)."""
        means = tuple(rounded(stage.mean[0].tolist()) for stage in stages)
        return cls(means, tuple(rounded(stage.std[0].tolist()) for stage in stages))

    def statistics(self, device: torch.device | str = "cpu") -> list[Statistics]:
        """Return the style as the network wants it, one a stage, each (1, C)."""
        return [
            Statistics(torch.tensor([mean], device=device), torch.tensor([std], device=device))
            for mean, std in zip(self.means, self.stds, strict=True)
        ]
