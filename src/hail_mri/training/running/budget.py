"""How long a run may take: a number of steps and a wall time, whichever ends first."""

from __future__ import annotations

import math
import time

from hail_mri.errors import InputError


class Budget:
    """
    Steps and wall time of a run; the clock starts when this is made.

    All that a run does counts: placing heads, validation, steps, and what it had used when it was resumed. The steps
    end early by as long as a validation takes, so that the last one ends in time, too.

    Parameters
    ----------
    n_steps : int
    minutes : float

    Attributes
    ----------
    seconds_before : float
        What the run had used when it was resumed.

    Raises
    ------
    InputError
        If there is no time at all.

    Examples
    --------
    >>> budget = Budget(n_steps=200)
    >>> budget.progress(50), budget.is_over(199), budget.is_over(200)
    (0.25, False, True)
    """

    def __init__(self, n_steps: int, minutes: float = math.inf) -> None:
        if not minutes > 0:
            raise InputError(f"minutes is {minutes}, expected a number above 0")
        self.n_steps, self.seconds = n_steps, 60 * minutes
        self.seconds_before, self.own_validation_seconds = 0.0, 0.0
        self._start = time.monotonic()
        self._agreed: tuple[float, float] | None = None

    @property
    def own_elapsed(self) -> float:
        """Seconds of the run so far, by the clock of this process."""
        return self.seconds_before + time.monotonic() - self._start

    @property
    def elapsed(self) -> float:
        """Seconds of the run so far; as agreed last, if several processes make the run."""
        return self._agreed[0] if self._agreed else self.own_elapsed

    @property
    def validation_seconds(self) -> float:
        """What a validation takes, as far as it is known, and agreed."""
        return self._agreed[1] if self._agreed else self.own_validation_seconds

    def agree(self, elapsed: float, validation_seconds: float) -> None:
        """Take over what the first of several processes has measured."""
        self._agreed = elapsed, validation_seconds

    @property
    def seconds_left(self) -> float:
        """Seconds left for steps, before the last validation."""
        return self.seconds - self.elapsed - self.validation_seconds

    def progress(self, step: int) -> float:
        """Return how much of the run is over after some steps, 0 to 1."""
        left = self.seconds_left
        return 1.0 if left <= 0 else min(1.0, max(step / self.n_steps, 1 - left / (left + self.elapsed)))

    def is_over(self, step: int) -> bool:
        """Return whether there is no time or no step left."""
        return self.progress(step) >= 1


def duration_text(seconds: float) -> str:
    """
    Return a time in the unit in which people would say it.

    Examples
    --------
    >>> [duration_text(seconds) for seconds in (0.031, 44, 3200, 12000, 400000)]
    ['0.031 s', '44 s', '53 min', '3.3 h', '4.63 days']
    """
    for unit, length, next_length in (("s", 1, 90), ("min", 60, 5400), ("h", 3600, 172800)):
        if seconds < next_length:
            return f"{seconds / length:.2g} {unit}"
    return f"{seconds / 86400:.3g} days"
