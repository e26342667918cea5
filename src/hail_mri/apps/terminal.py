"""What a person sees on stderr: one line for an error, one for a warning, and progress if somebody is watching."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hail_mri.errors import HailError

PROGRAM = "hail-mri"


def one_line(error: HailError) -> str:
    """Return an error and its hint as one line.

    Examples
    --------
    >>> one_line(HailError("a.nii: is empty, expected a scan", "copy it again"))
    'a.nii: is empty, expected a scan. Copy it again.'
    """
    hint = error.hint[:1].upper() + error.hint[1:]
    sentences = (" ".join(text.split()).rstrip(".") for text in (str(error), hint))
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def say(kind: str, text: str) -> None:
    """Write `hail-mri: kind: text` to stderr as one line."""
    print(f"{PROGRAM}: {kind}: {' '.join(text.split())}", file=sys.stderr)


@contextmanager
def progress(task: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Show that a task runs, and for how long, on stderr; nothing where stderr is not a terminal.

    Parameters
    ----------
    task : str
        What is being done, in a few words.
    total : int or None
        Number of steps; None if it is not known, then something moves until the end.

    Yields
    ------
    callable
        To be called after each step.
    """
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    counted = [BarColumn(), MofNCompleteColumn()] if total is not None else []
    columns = [SpinnerColumn(), TextColumn("{task.description}"), *counted, TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(task, total=total)
        yield lambda: bars.advance(bar)
