"""What every phase learns from: scans with what is known of them.

A simulated scan comes with its truth and its tissues, a real one with neither. A phase asks for what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Literal, Self

import torch
from torch import Tensor

from hail_mri.errors import InputError

Known = Literal["target", "truth", "source_weight", "target_weight", "tissue_counts"]


@dataclass(frozen=True)
class Batch:
    """Scans to learn from, one after the other along the first axis; a sample is a small batch.

    Attributes
    ----------
    source : (B, 1, I, J, K) Tensor
        On the [0, 1] scale of `prepare`, cut off at its ceiling.
    target : (B, 1, I, J, K) Tensor, optional
        The scan whose look is wanted, on its own scale.
    truth : (B, 1, I, J, K) Tensor, optional
        The source's subject as the target's site sees it.
    source_weight, target_weight : (B, 1, I, J, K) Tensor, optional
        Where the head is, 0 to 1.
    tissue_counts : (B, I, J, K, n_classes) Tensor, uint8, optional
        How many of the points in each voxel of the source are of each class; their sum is the same everywhere.

    Raises
    ------
    InputError
        If the shapes do not agree.

    Examples
    --------
    >>> batch = Batch.join([Batch(torch.zeros(2, 1, 4, 4, 4)), Batch(torch.ones(1, 1, 4, 4, 4))])
    >>> len(batch), batch.truth is None
    (3, True)
    """

    source: Tensor
    target: Tensor | None = None
    truth: Tensor | None = None
    source_weight: Tensor | None = None
    target_weight: Tensor | None = None
    tissue_counts: Tensor | None = None

    def __post_init__(self) -> None:
        for name, values in self._present().items():
            shape = values[..., 0].unsqueeze(1).shape if name == "tissue_counts" else values.shape
            if shape != self.source.shape:
                raise InputError(f"{name} has the shape {tuple(values.shape)}, the source {tuple(self.source.shape)}")

    def __len__(self) -> int:
        """Return the number of sources."""
        return len(self.source)

    def require(self, name: Known, *, by: str) -> Tensor:
        """Return what not every batch has.

        Parameters
        ----------
        name : str
        by : str
            Who needs it, in words.

        Raises
        ------
        InputError
            If this batch does not have it.
        """
        values: Tensor | None = getattr(self, name)
        if values is None:
            said = name.replace("_", " ")
            raise InputError(f"{by} needs the {said} of each scan, which these scans do not have")
        return values

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """Return the same with every tensor changed."""
        return type(self)(**{name: change(values) for name, values in self._present().items()})

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Self:
        """Return the same on another device; this is what Lightning calls."""
        return self.map(lambda values: values.to(device, non_blocking=non_blocking))

    def flipped(self) -> Self:
        """Return the same with left and right mirrored: heads are nearly symmetric."""
        flips = {n: v.flip(1 if n == "tissue_counts" else 2) for n, v in self._present().items()}
        return type(self)(**flips)

    @classmethod
    def join(cls, batches: Sequence[Self]) -> Self:
        """Return one batch of several that have the same, in order."""
        parts = [batch._present() for batch in batches]
        if any(part.keys() != parts[0].keys() for part in parts):
            known = " / ".join(", ".join(part) for part in parts)
            raise InputError(f"scans of which different things are known are no batch: {known}")
        return cls(**{name: torch.cat([part[name] for part in parts]) for name in parts[0]})

    def _present(self) -> dict[str, Tensor]:
        """Return what there is, by name."""
        return {f.name: values for f in fields(self) if (values := getattr(self, f.name)) is not None}
