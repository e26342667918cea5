"""How one scan is harmonized: the choices a user can make, and the only place where their defaults are written."""

from dataclasses import dataclass
from typing import Literal, get_args

from hail_mri.errors import InputError

OutputMode = Literal["transfer", "network"]
Device = Literal["auto", "cpu", "cuda"]
ScanPreset = Literal["none", "robust", "paper"]
LARGEST_SEED = 2**64 - 1  # torch.manual_seed takes no more
MOST_THREADS = 1024  # far beyond what helps; torch overflows or crashes on numbers that no machine has


@dataclass(frozen=True, kw_only=True)
class HarmonizeSettings:
    """The choices of one run, checked when they are made.

    Parameters
    ----------
    model : str
        Name of shipped weights, or the path of a safetensors file.
    output_mode : {"transfer", "network"}
        `transfer` carries the change of contrast to the native voxels; `network` is the raw decoder output.
    strength : float in [0, 1]
        0 gives back the source, 1 is the full change.
    device : {"auto", "cpu", "cuda"}
        `auto` takes a GPU if there is one.
    threads : int from 1 to `MOST_THREADS`, or None
        CPU threads; None leaves the choice to torch.
    seed : int from 0 to `LARGEST_SEED`
    force : bool
        Go on with a scan that fails a check.
    preset : {"none", "robust", "paper"}
        How source and target are prepared: as they are (the released model finds the receive bias field itself); N4
        first; or as in the paper, N4, registration to a reference, 1 mm, min-max.
    keep_bias : bool
        The result keeps the bias field that N4 found in the source.

    Raises
    ------
    InputError
        If a value is not one of these.
    """

    model: str = "compact"
    output_mode: OutputMode = "transfer"
    strength: float = 1.0
    device: Device = "auto"
    threads: int | None = None
    seed: int = 0
    force: bool = False
    preset: ScanPreset = "none"
    keep_bias: bool = True

    def __post_init__(self) -> None:
        _require(self.output_mode in get_args(OutputMode), "output mode", self.output_mode, "transfer or network")
        _require(0.0 <= self.strength <= 1.0, "strength", self.strength, "a number from 0 to 1")
        _require(self.preset in get_args(ScanPreset), "preset", self.preset, "none, robust or paper")
        _require(self.device in get_args(Device), "device", self.device, "auto, cpu or cuda")
        threads_expected = f"a number from 1 to {MOST_THREADS}"
        _require(self.threads is None or 1 <= self.threads <= MOST_THREADS, "threads", self.threads, threads_expected)
        _require(0 <= self.seed <= LARGEST_SEED, "seed", self.seed, f"a whole number from 0 to {LARGEST_SEED}")


def _require(valid: bool, name: str, found: object, expected: str) -> None:
    """Raise an InputError that says what was found and what was expected."""
    if not valid:
        raise InputError(f"{name} is {found!r}, expected {expected}")
