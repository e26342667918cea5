"""Settings of a training run of Liu et al.'s networks, read from TOML; unknown keys are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from hail_mri.model.slice_gan import SliceGanSettings
from hail_mri.training.settings import DataSection, ScansSection, Section, read_settings

FEWEST_PAIRS = 2  # a step; each slice needs the style of another pair beside that of its own


class SliceGanSection(Section):
    """Widths and depths of the networks, see `SliceGanSettings`."""

    size: int
    width: int
    widest: int
    n_style: int
    n_latent: int
    n_hidden: int

    @model_validator(mode="after")
    def _are_networks(self) -> Self:
        self.to_settings()
        return self

    def to_settings(self) -> SliceGanSettings:
        """Return them as the networks take them."""
        return SliceGanSettings(**self.model_dump())


class SliceDataSection(DataSection):
    """What is simulated and how slices are read; they are whole slices of brains."""

    patch: Literal[0]
    flips: bool


class GanSection(Section):
    """How the networks are optimized."""

    n_steps: int = Field(ge=1)
    steps_per_epoch: int = Field(ge=1)
    pairs_per_step: int = Field(ge=FEWEST_PAIRS)
    learning_rate: float = Field(gt=0)
    mapping_learning_rate: float = Field(gt=0)
    betas: tuple[float, float]
    weight_decay: float = Field(ge=0)
    ema_decay: float = Field(ge=0, lt=1)

    @model_validator(mode="after")
    def _betas_are_shares(self) -> Self:
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas are {list(self.betas)}, expected two numbers from 0 to 1, without 1")
        return self


class GanLossSection(Section):
    """Weights of the terms; that of diversity goes down to 0 with the run."""

    r1: float = Field(ge=0)
    style: float = Field(ge=0)
    diversity: float = Field(ge=0)
    cycle: float = Field(ge=0)


class GanTrainingSettings(Section):
    """Everything a run needs to be repeated, but the scans and label maps."""

    network: SliceGanSection
    data: SliceDataSection
    scans: ScansSection
    gan: GanSection
    losses: GanLossSection

    @model_validator(mode="after")
    def _slices_fit_the_networks(self) -> Self:
        # Scans are registered to a cube as long as the longest edge.
        if max(self.data.shape) > self.network.size:
            raise ValueError(
                f"data.shape is {self.data.shape}, expected at most the network's size, {self.network.size}, an edge"
            )
        return self


def load_gan_settings(path: str | Path) -> GanTrainingSettings:
    """
    Read the settings of a run of Liu et al.'s networks.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no TOML, a key is unknown or missing, or a value is out of range.
    """
    return read_settings(path, GanTrainingSettings)
