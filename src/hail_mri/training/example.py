"""One validation sample and what a network makes of it: what a picture of a run shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Example:
    """Volumes on one grid with axes as in RAS+, with the names to print, from left to right.

    Attributes
    ----------
    scans : mapping of str to (I, J, K) array
        Intensities on the [0, 1] scale of `prepare`.
    labels : mapping of str to (I, J, K) array of int
        Indices of tissue classes.
    """

    scans: Mapping[str, NDArray[np.float32]]
    labels: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)


def volume_of(scans: Tensor) -> NDArray[np.float32]:
    """Return the first scan of a batch, (B, 1, I, J, K), as (I, J, K)."""
    volume: NDArray[np.float32] = scans[0, 0].detach().float().cpu().numpy()
    return volume


Draw = Callable[[Example, Path, str], NDArray[np.uint8]]
"""Writes the picture of an example as PNG, under a title; returns it, (height, width, 3)."""
