"""How far a batch is: a bar where somebody is watching, a line now and then where only a file is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hail_mri.apps.terminal import say
from hail_mri.training.running.budget import duration_text

LINE_SECONDS = 60.0  # between lines in a file
MINUTE = 60.0  # s


class Pace:
    """How many scans of a batch are over, and how fast that goes.

    Parameters
    ----------
    total : int
        Scans to be done.
    now : callable
        Tells the time, s.
    """

    def __init__(self, total: int, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._start = now, now()
        self.total, self.n_over, self.n_failed = total, 0, 0

    def add(self, *, failed: bool) -> None:
        """Count one scan more."""
        self.n_over += 1
        self.n_failed += failed

    def __str__(self) -> str:
        """Return throughput and time left, in words."""
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        if not self.n_over:
            return f"0 of {self.total} scans"
        seconds = (self._now() - self._start) / self.n_over
        left = duration_text(seconds * (self.total - self.n_over))
        rate = f"{MINUTE / max(seconds, 1e-3):.3g} scans a minute"
        return f"{self.n_over} of {self.total} scans{failed}, {rate}, about {left} left"


@contextmanager
def batch_progress(total: int) -> Iterator[Callable[[bool], None]]:
    """Show on stderr how far a batch is.

    Parameters
    ----------
    total : int
        Scans to be done.

    Yields
    ------
    callable
        To be called after each scan, with whether it failed.
    """
    pace = Pace(total)
    if not sys.stderr.isatty():
        yield _lines(pace)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = [BarColumn(20), TextColumn("{task.description}", markup=False), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(str(pace), total=total)

        def advance(failed: bool) -> None:
            pace.add(failed=failed)
            bars.update(bar, completed=pace.n_over, description=str(pace))

        yield advance


def _lines(pace: Pace) -> Callable[[bool], None]:
    """Return what says a line when the last one is a minute old; a batch that is over sooner says none."""
    last = time.monotonic()

    def advance(failed: bool) -> None:
        nonlocal last
        pace.add(failed=failed)
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            say("progress", str(pace))

    return advance
