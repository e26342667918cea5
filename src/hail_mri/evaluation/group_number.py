"""A number of a group of results, with its interval, or the reason why there is none."""

from dataclasses import dataclass, fields
from typing import Self

from hail_mri.evaluation.bootstrap import Interval
from hail_mri.evaluation.measurement import Measurement
from hail_mri.evaluation.reliability import IntraclassCorrelation

COLUMNS = (  # of a long table
    *("statistic", "method", "direction", "metric", "region", "unit"),
    *("estimate", "low", "high", "n_subjects", "reason"),
)
SEED = 20230811  # of every interval and every cross-validation: the same scores give the same bits


@dataclass(frozen=True)
class Group:
    """Which results, and what of them.

    Attributes
    ----------
    method : str
    direction : str
        Such as "A to B", "to B" (from all sites), or "all directions".
    metric, region, unit : str
    """

    method: str
    direction: str
    metric: str
    region: str
    unit: str


@dataclass(frozen=True)
class GroupNumber:
    """A statistic of a group.

    Attributes
    ----------
    statistic : str
    group : Group
    estimate : float or None
    low, high : float or None
        Ends of the interval of 95 %.
    n_subjects : int or None
    reason : str
        Why something is missing; empty where nothing is.
    """

    statistic: str
    group: Group
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    n_subjects: int | None = None
    reason: str = ""

    @classmethod
    def of_interval(cls, statistic: str, group: Group, found: Interval) -> Self:
        """Take a bootstrap's estimate and interval."""
        return cls(statistic, group, found.estimate, found.low, found.high, found.n_subjects, found.reason)

    @classmethod
    def of_correlation(cls, statistic: str, group: Group, found: IntraclassCorrelation, n_subjects: int) -> Self:
        """Take an intraclass correlation and its interval."""
        return cls(statistic, group, found.value, found.low, found.high, n_subjects, found.reason)

    @classmethod
    def of_measurement(cls, statistic: str, group: Group, found: Measurement, n_subjects: int) -> Self:
        """Take a number without an interval."""
        return cls(statistic, group, found.value, n_subjects=n_subjects, reason=found.reason)

    @property
    def cells(self) -> dict[str, str | float | int | None]:
        """What a long table has of it, by column."""
        of_group = {field.name: getattr(self.group, field.name) for field in fields(Group)}
        rest = {name: getattr(self, name) for name in ("estimate", "low", "high", "n_subjects", "reason")}
        return {"statistic": self.statistic, **of_group, **rest}
