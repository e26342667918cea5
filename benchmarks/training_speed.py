"""How fast the paper's phases learn: samples per second, and what share of the machine's own peak that is.

    python benchmarks/training_speed.py --label-maps DIR [--config configs/hail-small.toml] [--batches 10] [--threads N]

Three things are measured, one after the other. The *peak*: the fastest convolution of 3 x 3 x 3, forward and backward,
of some widths, in the precision that the run would take. The *learner*: steps on batches that are ready. The *loader*:
batches that nobody waits for, by one process. The loader keeps up if its processes together make more samples in a
second than the learner takes. A sample is a pair of scans, both directions. Floating-point operations are counted by
PyTorch, convolutions and products only, a multiplication and an addition being two.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from hail_mri.evaluation.score_table import format_table
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.training.batch import Batch
from hail_mri.training.data.epoch_loader import EpochLoader
from hail_mri.training.data.source import SampleSource
from hail_mri.training.phases.encoder_phase import EncoderPhase
from hail_mri.training.phases.paper_phase import PaperPhase
from hail_mri.training.phases.paper_source import PairFiles, make_source
from hail_mri.training.phases.style_phase import StylePhase
from hail_mri.training.running.budget import Budget
from hail_mri.training.running.precision import choose_precision
from hail_mri.training.settings import TrainingSettings, load_settings

PEAK_SHAPES = ((16, 64), (32, 64), (64, 32), (128, 32), (256, 16))  # channels and edge
N_TIMED = 3  # repetitions, of which the fastest counts
DTYPES = {"32-true": torch.float32, "bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--label-maps", type=Path, required=True, help="folder of whole-head label maps")
    parser.add_argument("--config", type=Path, default=Path("configs/hail-small.toml"))
    parser.add_argument("--batches", type=int, default=10, help="of each phase that are timed")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of the learner")
    parser.add_argument("--work", type=Path, default=Path("runs/training_speed"), help="folder for phantoms")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    settings = few_heads(load_settings(arguments.config))
    rows = []
    with flushed_denormals():
        for phase in ("encoder", "style"):
            section = settings.encoder if phase == "encoder" else settings.style
            precision, _ = choose_precision(section.precision)
            peak = peak_flops(DTYPES[precision], device)
            source, _ = make_source(PairFiles(arguments.label_maps), settings, phase, arguments.work)
            source.prepare(Budget(section.n_steps), print)
            batches, loading = load(source, section.pairs_per_batch, arguments.batches)
            module = module_of(phase, settings).to(device)
            step = partial(learn, module, torch.optim.AdamW(module.parameters()), DTYPES[precision])
            batches = [batch.to(device) for batch in batches]
            learning, flops = time_steps(step, batches)
            rows.append(row(phase, precision, section.pairs_per_batch, learning, loading, flops, peak))
    titles = ("phase", "precision", "s a step", "pairs/s, learner", "pairs/s, a loader", "GFLOP a step", "GFLOP/s")
    print(f"{arguments.config}, {torch.get_num_threads()} threads of the learner on {device}")
    print(format_table((*titles, "peak GFLOP/s", "share of peak"), rows))


def few_heads(settings: TrainingSettings) -> TrainingSettings:
    """Return settings with as few phantoms as there can be: a step is as fast with them."""
    data = settings.data.model_copy(update={"n_heads": 2, "n_validation_heads": 2})
    return settings.model_copy(update={"data": data})


def row(
    phase: str, precision: str, n_pairs: int, learning: float, loading: float, flops: float, peak: float
) -> tuple[str, ...]:
    """Return a line of the table; times are seconds a batch."""
    reached = flops / learning
    numbers = (n_pairs / learning, n_pairs / loading, flops / 1e9, reached / 1e9, peak / 1e9)
    return (phase, precision, f"{learning:.2f}", *(f"{n:.3g}" for n in numbers), f"{reached / peak:.0%}")


def module_of(phase: str, settings: TrainingSettings) -> PaperPhase:
    """Return the module of a phase, with fresh weights."""
    network = FeatureStyleNetwork(settings.network.to_settings(), settings.network.initialization)
    if phase == "encoder":
        return EncoderPhase(network, settings.encoder)
    return StylePhase(network, settings.style, settings.losses)


def load(source: SampleSource, n_per_batch: int, n_batches: int) -> tuple[list[Batch], float]:
    """Return batches to learn from, and the seconds that one process takes for each after the first."""
    samples = source.samples("train", first=0, n_items=n_per_batch * (n_batches + 1))
    loader: Iterator[Batch] = iter(EpochLoader(samples, batch_size=n_per_batch, n_workers=0, collate=Batch.join))
    batches = [next(loader)]
    start = time.perf_counter()
    batches += list(loader)
    return batches, (time.perf_counter() - start) / n_batches


def learn(module: PaperPhase, optimizer: torch.optim.Optimizer, dtype: torch.dtype, batch: Batch) -> None:
    """Take one step."""
    with autocast(batch.source.device, dtype):
        loss = torch.stack(list(module.loss(batch).values())).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Return what lets convolutions be made in a precision."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def time_steps(step: Callable[[Batch], None], batches: list[Batch]) -> tuple[float, float]:
    """Return the mean seconds of a step after the first, and its floating-point operations."""
    with FlopCounterMode(display=False) as counter:
        step(batches[0])
    wait(batches[0].source.device)
    start = time.perf_counter()
    for batch in batches[1:]:
        step(batch)
    wait(batches[0].source.device)
    return (time.perf_counter() - start) / (len(batches) - 1), float(counter.get_total_flops())


def peak_flops(dtype: torch.dtype, device: torch.device) -> float:
    """Return the most floating-point operations a second that a convolution reached, forward and backward."""
    best = 0.0
    for channels, edge in PEAK_SHAPES:
        make = partial(torch.rand, dtype=dtype, device=device)
        volume = make(2, channels, edge, edge, edge).to(memory_format=torch.channels_last_3d).requires_grad_()
        weight = make(channels, channels, 3, 3, 3).to(memory_format=torch.channels_last_3d).requires_grad_()
        gradient = torch.ones_like(F.conv3d(volume, weight, padding=1))
        for _ in range(N_TIMED + 1):  # the first chooses an algorithm
            wait(device)
            start = time.perf_counter()
            F.conv3d(volume, weight, padding=1).backward(gradient)
            wait(device)
            best = max(best, 3 * 2 * gradient.numel() * 27 * channels / (time.perf_counter() - start))
    return best


def wait(device: torch.device) -> None:
    """Wait for a GPU, which returns before it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
