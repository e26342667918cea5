"""Numbers and decisions at random."""

from __future__ import annotations

import torch


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Draw a number between two."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def chance(probability: float, generator: torch.Generator) -> bool:
    """Draw yes or no."""
    return float(torch.rand((), generator=generator)) < probability
