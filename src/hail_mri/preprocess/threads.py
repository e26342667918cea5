"""Work on several threads that gives the same bits as on one: every item by itself, results in order."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def on_threads(function: Callable[[ItemT], ResultT], items: Iterable[ItemT]) -> list[ResultT]:
    """Call a function with every item, on as many threads as torch was given.

    Parameters
    ----------
    function : callable
        Spends its time in ITK, FFTs or numpy, which let other threads run meanwhile; does not depend on other calls.
    items : iterable

    Returns
    -------
    results : list
        In the order of the items. The first error is raised.

    Examples
    --------
    >>> on_threads(len, ["a", "bc"])
    [1, 2]
    """
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return list(pool.map(function, items))
