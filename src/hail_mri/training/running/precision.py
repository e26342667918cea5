"""Which precision a device trains in: half where it is fast, never where it only seems so.

Convolutions in bf16 on a CPU without instructions for it take two hundred times as long as in single precision, and
nothing says so. So "auto" asks the CPU, and measures.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F

from hail_mri.errors import InputError

Chosen = Literal["32-true", "16-mixed", "bf16-mixed"]
Precision = Literal["auto"] | Chosen

PROBE_CHANNELS, PROBE_EDGE = 32, 24
PROBE_SECONDS = 0.2  # of each precision, beyond its first convolution


def choose_precision(wanted: Precision, *, alone: bool = True) -> tuple[Chosen, str]:
    """
    Return the precision to train in, and why.

    Parameters
    ----------
    wanted : "auto", "32-true", "16-mixed" or "bf16-mixed"
        "auto": on a GPU bf16 where it has it, else fp16; on a CPU single precision, unless the CPU has instructions for
        bf16 and a convolution is measured to be faster in it.
    alone : bool
        Whether this process learns alone; several on CPUs might not measure the same, and take single precision.

    Raises
    ------
    InputError
        If fp16 is asked for without a GPU.
    """
    on_gpu = torch.cuda.is_available()
    if wanted == "16-mixed" and not on_gpu:
        raise InputError('precision is "16-mixed", which a CPU cannot train in', hint='use "auto" or "32-true"')
    if wanted != "auto":
        return wanted, "as asked for"
    if on_gpu:
        return ("bf16-mixed", "the GPU has bf16") if torch.cuda.is_bf16_supported() else ("16-mixed", "a GPU, no bf16")
    if not alone:
        return "32-true", "several processes on CPUs"
    if not cpu_has_bf16():
        return "32-true", "the CPU has no instructions for bf16"
    single, half = _seconds_per_convolution(torch.float32), _seconds_per_convolution(torch.bfloat16)
    chosen: Chosen = "bf16-mixed" if half < single else "32-true"
    return chosen, f"a convolution takes {1000 * single:.1f} ms in single precision, {1000 * half:.1f} ms in bf16"


def cpu_has_bf16() -> bool:
    """Return whether the CPU multiplies bf16 numbers itself (Linux; elsewhere the answer is no)."""
    path = Path("/proc/cpuinfo")
    flags = path.read_text(encoding="utf-8").split() if path.exists() else []
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _seconds_per_convolution(dtype: torch.dtype) -> float:
    """Measure a convolution, forward and backward; at most a few seconds even where it is slow."""
    shape = (1, PROBE_CHANNELS, *(PROBE_EDGE,) * 3)
    volume = torch.ones(shape, dtype=dtype).to(memory_format=torch.channels_last_3d).requires_grad_()
    weight = torch.ones(PROBE_CHANNELS, PROBE_CHANNELS, 3, 3, 3, dtype=dtype, requires_grad=True)
    times: list[float] = []
    while len(times) < 3 or sum(times[1:]) < PROBE_SECONDS:
        start = time.perf_counter()
        F.conv3d(volume, weight, padding=1).sum().backward()
        times.append(time.perf_counter() - start)
    return min(times)
