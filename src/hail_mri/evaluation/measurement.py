"""One measured number, or the reason why there is none.

Terms
-----
undefined
    The arguments are right, but the number does not exist for them: a share of nothing, a correlation with a constant.
    Its value is None, never NaN, and the reason is one clause that can be printed. All results of this folder keep to
    this: each has a `reason`, which is empty where all of its numbers exist.
wrong
    The arguments cannot be meant: shapes differ, a value is not finite, nothing was given. That is an `InputError`.
"""

import math
from dataclasses import dataclass
from typing import Self

from hail_mri.errors import InputError


@dataclass(frozen=True)
class Measurement:
    """Hold a number, or say why it is undefined.

    Parameters
    ----------
    value : float or None
        In the unit that the function which measured it states; None where it is undefined.
    reason : str
        Why it is undefined; empty where it is not.

    Raises
    ------
    InputError
        If the value is NaN, or there is a reason beside a value, or neither.

    Examples
    --------
    >>> Measurement(7.06)
    Measurement(value=7.06, reason='')
    >>> Measurement.undefined("the structure is empty in the source").value is None
    True
    """

    value: float | None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.value is not None and math.isnan(self.value):
            raise InputError("a measurement is NaN, expected a number, or None with the reason")
        if (self.value is None) != bool(self.reason):
            raise InputError(f"a measurement has the value {self.value} and the reason {self.reason!r}, expected one")

    @classmethod
    def undefined(cls, reason: str) -> Self:
        """Return a measurement without a value.

        Parameters
        ----------
        reason : str
            One clause in lower case, without a full stop.
        """
        return cls(None, reason)
