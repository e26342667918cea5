"""Factors on the learning rate, over the steps of a run and its progress, 0 to 1."""

from __future__ import annotations

import math

WARMUP_STEPS = 100


def warm_up(step: int, n_steps: int = WARMUP_STEPS) -> float:
    """Return the factor that goes up to 1 with the first steps; always 1 if there are none."""
    return min(1.0, (step + 1) / max(n_steps, 1))


def cosine(step: int, progress: float, *, last: float, n_warmup: int = WARMUP_STEPS) -> float:
    """
    Return the factor that warms up, then goes down a cosine.

    Parameters
    ----------
    step : int
    progress : float
        Of the whole run, 0 to 1.
    last : float
        The factor at the end.
    n_warmup : int
        Steps that it warms up.
    """
    return warm_up(step, n_warmup) * (last + (1 - last) * 0.5 * (1 + math.cos(math.pi * progress)))
