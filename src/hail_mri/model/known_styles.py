"""What is known of the styles of training scans, and how far a style is from them.

A style is taken as one row of numbers: mean and standard deviation of each channel of each stage. Its distance from
the styles of training scans is Mahalanobis': in the directions in which these differ most by their variance in each, in
all others by one variance. The *reach* is the distance that 95 % of training scans stay within when none of the same
anatomy has a part in the statistics; a *score* is a distance over the reach.

References
----------
Lee et al., NeurIPS 2018: Mahalanobis distances of features tell what is unlike the training data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hail_mri.errors import InputError
from hail_mri.model.feature_style import FeatureStyle

FloatArray = NDArray[np.float64]

PREFIX = "known_styles."  # of the names of tensors in a file of weights


@dataclass(frozen=True, eq=False)
class KnownStyles:
    """Statistics of the styles of training scans.

    Attributes
    ----------
    mean, spread : (n,) float32 array
        Of each number of a style; the rest is in units of the spread, which is above 0.
    directions : (k, n) float32 array
        Orthonormal, from where styles differ most.
    variances : (k,) float32 array
        Along them.
    rest : (1,) float32 array
        Variance along each direction that is not kept.
    reach : (1,) float32 array
        Distance that 95 % of training scans stay within, when none of the same anatomy has a part in the statistics.
    n_scans : (1,) int32 array

    Raises
    ------
    InputError
        If shapes do not agree, or a number is not finite or not above 0 where it has to be, the number of scans too.
    """

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    directions: NDArray[np.float32]
    variances: NDArray[np.float32]
    rest: NDArray[np.float32]
    reach: NDArray[np.float32]
    n_scans: NDArray[np.int32]

    def __post_init__(self) -> None:
        n, k = self.mean.size, self.variances.size
        shapes = [getattr(self, field.name).shape for field in fields(self)]
        if shapes != [(n,), (n,), (k, n), (k,), (1,), (1,), (1,)]:
            raise InputError("what the weights hold of known styles does not fit together")
        if not all(np.isfinite(getattr(self, field.name)).all() for field in fields(self)):
            raise InputError("what the weights hold of known styles is not finite")
        if not all((array > 0).all() for array in (self.spread, self.variances, self.rest, self.reach)):
            raise InputError("what the weights hold of known styles has variances that are not above 0")
        if self.n_scans[0] < 1:
            raise InputError(f"what the weights hold of known styles is of {self.n_scans[0]} scans")

    def score(self, style: FeatureStyle) -> float:
        """Return how far a style is from those of training scans, over the distance that 95 % of them stay within.

        Raises
        ------
        InputError
            If the style has another number of channels.
        """
        row = style_row(style)
        if row.shape != self.mean.shape:
            raise InputError(f"a style of {len(row)} numbers, expected {len(self.mean)}")
        return self.distance(row) / float(self.reach[0])

    def distance(self, row: FloatArray) -> float:
        """Return the Mahalanobis distance of the numbers of a style, (n,), see `style_row`."""
        z = (row - self.mean) / self.spread
        along = self.directions @ z
        beside = max(float(z @ z - along @ along), 0.0)
        return float(np.sqrt((along**2 / self.variances).sum() + beside / float(self.rest[0])))

    def tensors(self) -> dict[str, Tensor]:
        """Return what a file of weights keeps."""
        return {PREFIX + f.name: torch.from_numpy(np.ascontiguousarray(getattr(self, f.name))) for f in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self | None:
        """Take it from what a file of weights holds, in any precision; None if there is nothing of it.

        Raises
        ------
        InputError
            If there is a part of it.
        """
        if not any(name.startswith(PREFIX) for name in tensors):
            return None
        try:
            held = {field.name: tensors[PREFIX + field.name] for field in fields(cls)}
        except KeyError as error:
            raise InputError(f"the weights hold a part of what is known of styles, but no {error}") from error
        n_scans = held.pop("n_scans").to(torch.int32).numpy()
        return cls(**{name: tensor.float().numpy() for name, tensor in held.items()}, n_scans=n_scans)


def style_row(style: FeatureStyle) -> FloatArray:
    """Return the numbers of a style, stage by stage, means before standard deviations, (n,)."""
    stages = zip(style.means, style.stds, strict=True)
    return np.array([number for stage in stages for numbers in stage for number in numbers])
