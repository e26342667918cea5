"""How one scan is harmonized: the choices a user can make, and the only place where their defaults are written."""

from dataclasses import dataclass
from typing import Literal, get_args

from hail_mri.errors import InputError

OutputMode = Literal["transfer", "network"]
Device = Literal["auto", "cpu", "cuda"]


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
    threads : int >= 1 or None
        CPU threads; None leaves the choice to torch.
    seed : int >= 0
    force : bool
        Go on with a scan that fails a check.

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

    def __post_init__(self) -> None:
        _require(self.output_mode in get_args(OutputMode), "output mode", self.output_mode, "transfer or network")
        _require(0.0 <= self.strength <= 1.0, "strength", self.strength, "a number from 0 to 1")
        _require(self.device in get_args(Device), "device", self.device, "auto, cpu or cuda")
        _require(self.threads is None or self.threads >= 1, "threads", self.threads, "1 or more")
        _require(self.seed >= 0, "seed", self.seed, "0 or more")


def _require(valid: bool, name: str, found: object, expected: str) -> None:
    """Raise an InputError that says what was found and what was expected."""
    if not valid:
        raise InputError(f"{name} is {found!r}, expected {expected}")
