"""Intensity scales: from scanner units to [0, 1] and back.

A scale is fitted on one scan, applied, and inverted in mirror order. Nothing is clipped, so nothing is lost.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError

# Percentiles of the intensities that become 0 and 1: a few bright vessels or spikes must not set the scale.
LOW_PERCENTILE = 0.5
HIGH_PERCENTILE = 99.5


@dataclass(frozen=True)
class LinearScale:
    """The straight line that takes `low` to 0 and `high` to 1.

    Parameters
    ----------
    low, high : float
        Scanner units.

    Raises
    ------
    InputError
        If they are not two finite intensities, low before high.

    Examples
    --------
    >>> scale = LinearScale(100.0, 300.0)
    >>> scale.apply(np.array([100.0, 150.0, 300.0])).tolist()
    [0.0, 0.25, 1.0]
    >>> scale.invert(np.array([0.0, 0.25, 2.0])).tolist()
    [100.0, 150.0, 500.0]
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise InputError(
                f"a scale needs two different intensities, low before high, not {self.low} and {self.high}"
            )

    def apply(self, data: NDArray[np.floating]) -> NDArray[np.floating]:
        """Scale intensities: `low` becomes 0, `high` becomes 1, values outside go on along the line.

        Parameters
        ----------
        data : (...) array of float
            Scanner units; its dtype is kept.
        """
        return (data - data.dtype.type(self.low)) * data.dtype.type(1 / (self.high - self.low))

    def invert(self, scaled: NDArray[np.floating]) -> NDArray[np.floating]:
        """Take scaled intensities back to scanner units, the inverse of `apply`.

        Parameters
        ----------
        scaled : (...) array of float
            0 stands for `low`, 1 for `high`; its dtype is kept.
        """
        return scaled * scaled.dtype.type(self.high - self.low) + scaled.dtype.type(self.low)

    @classmethod
    def from_percentiles(
        cls,
        data: NDArray[np.floating],
        mask: NDArray[np.bool_] | None = None,
        *,
        low_percentile: float = LOW_PERCENTILE,
        high_percentile: float = HIGH_PERCENTILE,
    ) -> Self:
        """Scale by two percentiles of the intensities: a few extreme voxels do not matter.

        Parameters
        ----------
        data : (...) array of float
            Scanner units.
        mask : (...) array of bool, optional
            Where to look; everywhere without it.
        low_percentile, high_percentile : float
            From 0 to 100.

        Raises
        ------
        InputError
            When the mask is empty or has another shape, or both percentiles are equal.

        Examples
        --------
        >>> data = np.arange(101, dtype=np.float64)
        >>> data[-1] = 1e6  # a spike
        >>> LinearScale.from_percentiles(data, low_percentile=10, high_percentile=90)
        LinearScale(low=10.0, high=90.0)
        """
        low, high = np.percentile(_inside(data, mask), (low_percentile, high_percentile))
        return cls(float(low), float(high))

    def mixed(self, other: Self, share: float) -> Self:
        """Return a scale between this and another.

        Parameters
        ----------
        other : LinearScale
        share : float
            Of the other, 0 to 1.

        Examples
        --------
        >>> LinearScale(0.0, 100.0).mixed(LinearScale(10.0, 500.0), 0.5)
        LinearScale(low=5.0, high=300.0)
        """
        low, high = ((1 - share) * a + share * b for a, b in ((self.low, other.low), (self.high, other.high)))
        return type(self)(low, high)


def _inside(data: NDArray[np.floating], mask: NDArray[np.bool_] | None) -> NDArray[np.floating]:
    """Intensities inside the mask, or all of them."""
    if mask is None:
        return data
    if mask.shape != data.shape:
        raise InputError(f"the mask has the shape {mask.shape}, the data have {data.shape}")
    if not mask.any():
        raise InputError("the mask is empty")
    return data[mask.astype(bool, copy=False)]
