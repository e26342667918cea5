"""How many CPU threads compute."""

import torch
from threadpoolctl import threadpool_limits


def limit_threads(threads: int) -> None:
    """Bound the CPU threads of the whole process: torch's own, and those of the linear algebra beneath numpy.

    Parameters
    ----------
    threads : int
        At least 1. What libraries start that are loaded later is bounded by their own default.
    """
    torch.set_num_threads(threads)
    threadpool_limits(threads)
