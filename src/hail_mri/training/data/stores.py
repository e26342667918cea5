"""The two stores of phantoms of a run: one to learn from, one for validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.training.data.heads import count_heads, fill_store
from hail_mri.training.running.budget import Budget, duration_text
from hail_mri.training.settings import DataSection, ScanSection

SAY_EVERY = 10  # heads


def fill_stores(
    heads_dir: Path,
    data: DataSection | ScanSection,
    budget: Budget,
    *,
    train: Sequence[Path],
    validation: Sequence[Path],
    say: Callable[[str], None],
) -> None:
    """
    Place the heads of a run that are missing.

    Parameters
    ----------
    heads_dir : Path
    data : DataSection or ScanSection
    budget : Budget
        The time it may take.
    train, validation : sequence of Path
        Label maps.
    say : callable
        Takes one line at a time.

    Raises
    ------
    InputError
        If heads that are there were made from something else, or the time is over before all are placed.
    """
    fillings: list[tuple[str, int, Iterator[int]]] = []
    for name, paths, n_heads, seed in (
        ("train", train, data.n_heads, data.seed),
        ("validation", validation, data.n_validation_heads, data.seed + 1),
    ):
        store_dir = heads_dir / name
        filling = fill_store(store_dir, paths, n_heads=n_heads, shape=data.shape, spacing=data.spacing_mm, seed=seed)
        n_there = count_heads(store_dir, n_heads)
        say(f"heads for {name}: {n_there} of {n_heads} are there, {n_heads - n_there} are to be placed")
        fillings.append((name, n_heads, filling))
    for name, n_heads, filling in fillings:
        _place(name, n_heads, filling, budget, say)


def _place(name: str, n_heads: int, filling: Iterator[int], budget: Budget, say: Callable[[str], None]) -> None:
    """Place the missing heads of a store, in time."""
    start = budget.elapsed
    for n_placed, n_done in enumerate(filling, start=1):
        seconds_left = (budget.elapsed - start) / n_placed * (n_heads - n_done)
        if n_done == n_heads:
            say(f"heads for {name}: all {n_heads} are placed")
        elif n_placed % SAY_EVERY == 0:
            say(f"heads for {name}: {n_done} of {n_heads} are placed, about {duration_text(seconds_left)} to go")
        if budget.seconds_left <= 0 and n_done < n_heads:
            raise InputError(
                f"the {budget.seconds / 60:g} minutes are over and {n_done} of {n_heads} heads for {name} are placed",
                "run it again with more minutes; heads that are placed are kept",
            )
