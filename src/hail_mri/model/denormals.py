"""Denormals: numbers so close to 0 that a CPU is many times slower on them. Networks meet them and need none."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """
    Let the CPU take denormals for 0, and bring back what was before; also a decorator.

    Notes
    -----
    The switch is one of the processor, for this thread and those it starts. Left on, it would change the results of
    other libraries in the process.
    """
    was_on = not _denormals_count()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(was_on)


def _denormals_count() -> bool:
    """Tell whether half of the smallest normal number is more than 0."""
    return bool(torch.tensor(torch.finfo(torch.float64).tiny, dtype=torch.float64) / 2 > 0)
