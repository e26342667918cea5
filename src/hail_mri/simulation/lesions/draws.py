"""Random numbers and rotations for lesions."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Draw a number between two others."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def random_rotation(generator: torch.Generator) -> Tensor:
    """Draw a rotation, (3, 3) Tensor, every direction alike."""
    basis, upper = torch.linalg.qr(torch.randn(3, 3, generator=generator))
    return basis * torch.sign(torch.diagonal(upper))


def along(direction: Tensor, generator: torch.Generator) -> Tensor:
    """Return a rotation, (3, 3) Tensor, whose first row is a direction (3,)."""
    rows = torch.stack([direction, *torch.randn(2, 3, generator=generator)])
    basis, upper = torch.linalg.qr(rows.T)
    return (basis * torch.sign(torch.diagonal(upper))).T
