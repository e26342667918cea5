"""Training pairs: two subjects, two sites, both directions, and the truth.

From two placed heads (i and j) and two sites (a and b) come four scans. They make two examples, as in the paper's
batches: i goes from a to b with j at b as its target, and j goes from b to a with i at a as its target. The truth is
the source's head at the target's site, without noise and with the source's own receive field.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import Dataset

from hail_mri.preprocess.level import white_matter_level
from hail_mri.preprocess.prepare import CEILING, WHITE_MATTER
from hail_mri.simulation.acquisition import PlacedHead, random_receive_field, scan
from hail_mri.simulation.fields import Field
from hail_mri.simulation.scanners import Site, random_site
from hail_mri.training.heads import load_head

TRUTH_CEILING = 2.0  # what is learned of brighter voxels: bright fat must not drown the brain

# How often the skull is gone in source and target.
STRIPPED = {(False, False): 0.65, (True, True): 0.19, (True, False): 0.08, (False, True): 0.08}


class Example(NamedTuple):
    """One direction, each (1, I, J, K); the source on its own scale, target and truth on the target's."""

    source: Tensor
    target: Tensor
    truth: Tensor
    source_weight: Tensor
    target_weight: Tensor
    brain: Tensor


class RandomSitePairs(Dataset[Example]):
    """Pairs drawn from a store of placed heads; item n depends on nothing but the seed and n.

    Parameters
    ----------
    head_paths : list of Path
    seed : int
    first, n_items : int
        Items `first` to `first + n_items - 1` of the endless sequence.
    patch : int
        Edge of a random patch, the same for source, target and truth; 0 takes the box around both heads, its edges
        multiples of `stride`.
    stride : int
    """

    def __init__(
        self, head_paths: list[Path], *, seed: int, first: int, n_items: int, patch: int = 0, stride: int = 8
    ) -> None:
        self.head_paths, self.seed, self.first, self.n_items = head_paths, seed, first, n_items
        self.patch, self.stride = patch, stride

    def __len__(self) -> int:
        """Return the number of items."""
        return self.n_items

    def __getitem__(self, index: int) -> Example:
        """Return both directions of a pair, stacked: each tensor (2, 1, I, J, K)."""
        if not 0 <= index < self.n_items:
            raise IndexError(index)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.first + index)
        one, other = torch.randint(len(self.head_paths), (2,), generator=generator).tolist()
        heads = load_head(self.head_paths[one]), load_head(self.head_paths[other])
        sites = random_site(generator, "a"), random_site(generator, "b")
        both = _both_directions(heads, sites, generator)
        stacked = Example(*(torch.stack(pair) for pair in zip(*both, strict=True)))
        cropped = _random_patch(stacked, self.patch, generator) if self.patch else _head_box(stacked, self.stride)
        return _flip(cropped, generator)


def _both_directions(
    heads: tuple[PlacedHead, PlacedHead], sites: tuple[Site, Site], generator: torch.Generator
) -> tuple[Example, Example]:
    """Scan both heads at both sites and make the two examples."""
    gammas = [_random_gamma(generator) for _ in sites]
    receives = [random_receive_field(generator) for _ in heads]
    keeps = [_field_of_view(head, generator) for head in heads]
    stripped = _choose_stripped(generator)
    noisy = [_scan(heads[n], sites[n], receives[n], gammas[n], noise=generator) for n in (0, 1)]
    examples = []
    for n, m in ((0, 1), (1, 0)):
        truth = _scan(heads[n], sites[m], receives[n], gammas[m], strength=sites[n].receive_strength)
        is_stripped = stripped if n == 0 else (stripped[1], stripped[0])
        source_keep = keeps[n] * heads[n].brain if is_stripped[0] else keeps[n]
        target_keep = keeps[m] * heads[m].brain if is_stripped[1] else keeps[m]
        source_weight = _support(heads[n], stripped=is_stripped[0]) * keeps[n]
        target_weight = _support(heads[m], stripped=is_stripped[1]) * keeps[m]
        source = noisy[n] * source_keep / _unit(noisy[n], source_weight, heads[n])
        target = (noisy[m] * target_keep / _unit(noisy[m], target_weight, heads[m])).clamp(max=CEILING)
        # On its own scale: coils make two scans of one site differ in loudness, and no network can know by how much.
        unit = _unit(truth, source_weight, heads[n])
        example = Example(
            source=source.clamp(max=CEILING)[None],
            target=target[None],
            truth=(truth * source_keep / unit).clamp(max=TRUTH_CEILING)[None],
            source_weight=source_weight[None],
            target_weight=target_weight[None],
            brain=(heads[n].brain.float() * source_keep)[None],
        )
        examples.append(example)
    return examples[0], examples[1]


def _scan(
    head: PlacedHead,
    site: Site,
    receive: Field,
    gamma: float,
    *,
    strength: float | None = None,
    noise: torch.Generator | None = None,
) -> Tensor:
    """Scan, with what no signal equation has: a site's own smooth curve on the intensities."""
    unit_site = replace(site, gain=1.0)
    volume = scan(head, unit_site, receive=receive, receive_strength=strength, noise=noise)
    return volume if gamma == 1.0 else volume**gamma


def _random_gamma(generator: torch.Generator) -> float:
    """Draw a gamma for a site; two thirds of the sites have none."""
    chance, size = torch.rand(2, generator=generator).tolist()
    return 1.0 if chance > 1 / 3 else 0.8 + 0.45 * size


def _support(head: PlacedHead, *, stripped: bool) -> Tensor:
    """Return where a head mask would be: the tissue with its small holes closed, (I, J, K)."""
    mask = (head.brain if stripped else head.head).float()[None, None]
    if not stripped:
        mask = -F.max_pool3d(-F.max_pool3d(mask, 3, 1, 1), 3, 1, 1)
    return mask[0, 0]


def _unit(volume: Tensor, weight: Tensor, head: PlacedHead) -> float:
    """Return the intensity that becomes 1, as in `prepare`."""
    level = white_matter_level(volume.numpy(), weight.numpy(), float(head.affine[0, 0]))
    return max(level, 1e-6) / WHITE_MATTER


def _choose_stripped(generator: torch.Generator) -> tuple[bool, bool]:
    """Draw whether source and target are skull-stripped."""
    choice = torch.multinomial(torch.tensor(list(STRIPPED.values())), 1, generator=generator)
    return list(STRIPPED)[int(choice)]


def _field_of_view(head: PlacedHead, generator: torch.Generator) -> Tensor:
    """Draw a field of view, (I, J, K) of 0 and 1: a third of the scans lose the neck or a margin elsewhere."""
    keep = torch.ones(head.shape)
    chance, axis, side, share = torch.rand(4, generator=generator).tolist()
    if chance > 1 / 3:
        return keep
    # The lower end (the neck) is what is usually cut, and deepest.
    axis, low_end = (2, True) if axis < 0.7 else (int(side * 3), share < 0.5)
    n_lost = int(share * head.shape[axis] * (0.35 if axis == 2 and low_end else 0.15))
    keep.narrow(axis, 0 if low_end else head.shape[axis] - n_lost, n_lost).zero_()
    return keep


def _random_patch(example: Example, edge: int, generator: torch.Generator) -> Example:
    """Cut the same random patch out of all volumes, around a voxel of all heads: air has no style."""
    inside = ((example.source_weight > 0.5) & (example.target_weight > 0.5)).all(dim=0)[0].nonzero()
    middle = inside[int(torch.randint(len(inside), (), generator=generator))].tolist()
    sizes = example.source.shape[2:]
    starts = [max(0, min(m - edge // 2, n - edge)) for m, n in zip(middle, sizes, strict=True)]
    return _cut(example, starts, [start + edge for start in starts])


def _head_box(example: Example, stride: int) -> Example:
    """Cut out the box around source and target, as large as the stride asks for."""
    occupied = ((example.source_weight + example.target_weight) > 0.5).any(dim=0)[0].nonzero()
    starts, ends = [], []
    for low, high, n in zip(
        occupied.amin(dim=0).tolist(), occupied.amax(dim=0).tolist(), example.source.shape[2:], strict=True
    ):
        size = min(n, -(-(high + 1 - low + 2) // stride) * stride)  # a voxel of air on both sides
        starts.append(max(0, min((low + high + 1 - size) // 2, n - size)))
        ends.append(starts[-1] + size)
    return _cut(example, starts, ends)


def _cut(example: Example, starts: list[int], ends: list[int]) -> Example:
    """Cut the same box out of all volumes."""
    i, j, k = (slice(start, end) for start, end in zip(starts, ends, strict=True))
    return Example(*(volume[:, :, i, j, k] for volume in example))


def _flip(example: Example, generator: torch.Generator) -> Example:
    """Mirror left and right half of the time: heads are nearly symmetric."""
    if torch.rand((), generator=generator) < 0.5:
        return example
    return Example(*(volume.flip(2) for volume in example))
