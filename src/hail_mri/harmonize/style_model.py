"""What harmonization needs of a model, whatever its style is: the style of a scan, and the scan in another style.

A *prediction* p is what a model makes of a scan in the target's style, a *reconstruction* r what it makes of the scan
in its own. Both are on the network grid and made in the same way, so that p is r, bit for bit, when the styles agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.tissue_style import TissueStyle
from hail_mri.preprocess.prepare import Prepared

Style = TissueStyle | FeatureStyle
StyleT = TypeVar("StyleT", TissueStyle, FeatureStyle)


@dataclass(frozen=True)
class Reading(Generic[StyleT]):
    """What a model sees in a scan.

    Attributes
    ----------
    prepared : Prepared
        The scan, on the scale that the model has found to be right.
    style : TissueStyle or FeatureStyle
        Of the scan.
    skull_stripped : bool or None
        Whether the scan has next to nothing but a brain; None if the model cannot tell, or a region is measured.
    interior : (i, j, k) array of float32, 0 to 1, or None
        How certainly each voxel is deep in the brain; None if the model does not know.
    """

    prepared: Prepared
    style: StyleT
    skull_stripped: bool | None = None
    interior: NDArray[np.float32] | None = None


class StyleModel(Protocol):
    """A model: the paper's (`FeatureModel`), or one that names tissues (`TissueModel`)."""

    spacing: float
    stride: int

    def read(self, prepared: Prepared) -> Reading[Any]:
        """Measure the style of a prepared scan."""

    def predict(self, reading: Any, style: Any) -> tuple[Tensor, Tensor]:
        """Return p and r, (i, j, k) each, on the CPU."""

    def fits(self, style: Style) -> bool:
        """Return whether a style is one of this model's."""

    def score(self, style: Any) -> float | None:
        """Return how far a style is from those of training scans, see `KnownStyles`; None if that is not known."""
