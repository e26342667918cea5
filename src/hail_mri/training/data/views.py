"""What a scan shows of a phantom: the head, or the brain alone, inside a field of view; and where to cut a box of it.

Nothing here is as large as the phantom's grid: at 1 mm, each volume of it would take 64 MB.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hail_mri.errors import InputError
from hail_mri.simulation.phantoms import Phantom
from hail_mri.simulation.subjects import is_brain, is_head

N_CANDIDATES = 4096  # voxels of one head that are tried as the middle of a patch

Index = tuple[int, int, int]


@dataclass(frozen=True)
class Box:
    """Voxels `starts` to `ends`, without these, of a grid.

    Examples
    --------
    >>> Box((1, 0, 2), (3, 4, 6)).grown(1, within=(4, 4, 8))
    Box(starts=(0, 0, 1), ends=(4, 4, 7))
    """

    starts: Index
    ends: Index

    @property
    def shape(self) -> Index:
        """Edges in voxels."""
        i, j, k = (end - start for start, end in zip(self.starts, self.ends, strict=True))
        return i, j, k

    def grown(self, margin: int, *, within: Index) -> Box:
        """Return the box with a margin, as far as there is a grid."""
        a, b, c = (max(0, start - margin) for start in self.starts)
        i, j, k = (min(n, end + margin) for end, n in zip(self.ends, within, strict=True))
        return Box((a, b, c), (i, j, k))

    def slices_in(self, outer: Box) -> tuple[slice, slice, slice]:
        """Return where this box lies in one that holds it."""
        i, j, k = (slice(s - o, e - o) for s, e, o in zip(self.starts, self.ends, outer.starts, strict=True))
        return i, j, k

    def holds(self, index: Tensor) -> Tensor:
        """Return which voxels are in the box, (n,) bool, for indices (n, 3)."""
        return ((index >= torch.tensor(self.starts)) & (index < torch.tensor(self.ends))).all(dim=1)


@dataclass(frozen=True)
class View:
    """A phantom as far as a scan shows it.

    Attributes
    ----------
    head : Phantom
    field_of_view : Box
    stripped : bool
        Whether all but the brain is gone.
    """

    head: Phantom
    field_of_view: Box
    stripped: bool

    def index(self, rows: Tensor) -> Tensor:
        """Return the indices (n, 3) of some of the phantom's kept voxels on its grid."""
        _, n_j, n_k = self.head.shape
        flat = self.head.voxels[rows]
        return torch.stack([flat // (n_j * n_k), flat // n_k % n_j, flat % n_k], dim=1)

    def shows(self, rows: Tensor) -> Tensor:
        """Return which of these kept voxels are seen, (n,) bool: more than half of the voxel is."""
        kind = is_brain if self.stripped else is_head
        seen = kind(self.head.tissue[rows]).float().mean(dim=1) > 0.5
        return seen & self.field_of_view.holds(self.index(rows))


def random_box(views: tuple[View, View], edge: int, generator: torch.Generator) -> Box:
    """
    Draw a cube around a voxel that both scans show: air has no style.

    Raises
    ------
    InputError
        If they show nothing in the same place.
    """
    one, other = views
    rows = torch.randint(len(one.head.voxels), (N_CANDIDATES,), generator=generator)
    rows = rows[one.shows(rows)]
    voxels = one.head.voxels[rows]
    there = torch.searchsorted(other.head.voxels, voxels).clamp(max=len(other.head.voxels) - 1)
    rows = rows[(other.head.voxels[there] == voxels) & other.shows(there)]
    if len(rows) == 0:
        raise InputError("two simulated scans show nothing in the same place", "are the label maps those of heads?")
    middle = one.index(rows[:1])[0].tolist()
    i, j, k = (max(0, min(m - edge // 2, n - edge)) for m, n in zip(middle, one.head.shape, strict=True))
    return Box((i, j, k), (i + edge, j + edge, k + edge))


def head_box(views: tuple[View, View], stride: int) -> Box:
    """Return the box around all that both scans show, its edges multiples of the stride."""
    seen = []
    for view in views:
        rows = torch.arange(len(view.head.voxels))
        seen.append(view.index(rows[view.shows(rows)]))
    index, spans = torch.cat(seen), []
    for low, high, n in zip(index.amin(dim=0).tolist(), index.amax(dim=0).tolist(), views[0].head.shape, strict=True):
        size = min(n, -(-(high + 1 - low + 2) // stride) * stride)  # a voxel of air on both sides
        start = max(0, min((low + high + 1 - size) // 2, n - size))
        spans.append((start, start + size))
    (a, i), (b, j), (c, k) = spans
    return Box((a, b, c), (i, j, k))
