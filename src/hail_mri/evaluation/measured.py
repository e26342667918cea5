"""A number of a result: which metric it is of, where it was measured, and in which unit."""

from dataclasses import dataclass

from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.wasserstein import NormalizedDistance

PERCENT, UNITS, SHARE = "%", "units compared", "1"


@dataclass(frozen=True)
class Measured:
    """A number of a result.

    Attributes
    ----------
    metric : str
    region : str
        Where: image, head, brain, or a structure.
    unit : str
    measurement : Measurement
        Its value, or why there is none.
    """

    metric: str
    region: str
    unit: str
    measurement: Measurement


def measured_distances(found: NormalizedDistance, region: str) -> list[Measured]:
    """Return the paper's two distances of a region, and the whole way of which they are shares.

    Parameters
    ----------
    found : NormalizedDistance
    region : str
    """
    way = found.whole_way
    return [
        Measured("nWD(i,p)", region, PERCENT, value_or_reason(found.ip, found.reason)),
        Measured("nWD(t,p)", region, PERCENT, value_or_reason(found.tp, found.reason)),
        Measured("WD(i,t)", region, UNITS, value_or_reason(way, found.reason if way is None else "")),
    ]


def value_or_reason(value: float | None, reason: str) -> Measurement:
    """Return a value, or why there is none.

    Parameters
    ----------
    value : float or None
    reason : str

    Examples
    --------
    >>> value_or_reason(None, "there is no air")
    Measurement(value=None, reason='there is no air')
    """
    return Measurement.undefined(reason) if value is None else Measurement(value)
