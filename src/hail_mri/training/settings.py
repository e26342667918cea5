"""Settings of a training run, read from TOML; unknown keys are refused."""

from __future__ import annotations

import difflib
import math
import tomllib
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from hail_mri.errors import InputError, MissingFileError
from hail_mri.model.feature_network import FeatureNetworkSettings, Initialization
from hail_mri.model.tissue_network import TissueNetworkSettings
from hail_mri.preprocess.settings import Preset
from hail_mri.training.running.precision import Precision


class Section(BaseModel):
    """A table of the TOML file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_Kind = TypeVar("_Kind", bound=Section)


class NetworkSection(Section):
    """Widths and depths of the network, see `FeatureNetworkSettings`, and how its weights begin."""

    channels: tuple[int, ...]
    convs_per_stage: tuple[int, ...]
    skips: bool
    initialization: Initialization

    @model_validator(mode="after")
    def _is_a_network(self) -> Self:
        self.to_settings()
        return self

    def to_settings(self) -> FeatureNetworkSettings:
        """Return them as the network takes them."""
        return FeatureNetworkSettings(self.channels, self.convs_per_stage, self.skips)


class DataSection(Section):
    """What is simulated and how it is read."""

    spacing_mm: float = Field(gt=0)
    shape: tuple[int, int, int]
    n_heads: int = Field(ge=2)
    n_validation_heads: int = Field(ge=2)
    n_validation_pairs: int = Field(ge=1)
    patch: int = Field(ge=0)
    n_workers: int = Field(ge=0)
    seed: int = Field(ge=0, lt=2**32)
    sites: tuple[str, ...]

    @model_validator(mode="after")
    def _sites_make_pairs(self) -> Self:
        if len(self.sites) == 1 or len(set(self.sites)) < len(self.sites):
            raise ValueError(f"data.sites is {list(self.sites)}, expected two or more, or none for random sites")
        return self


class ScansSection(Section):
    """What is done with a table of real scans, where one is given."""

    preset: Preset
    held_out_sites: tuple[str, ...]
    bad_scans: Literal["stop", "skip"]
    simulated_share: float = Field(ge=0, lt=1)


class AugmentationSection(Section):
    """What is done to scans that the paper does not have; real scans are only flipped."""

    stripping: bool
    field_of_view: bool
    gamma: bool
    flips: bool


class PhaseSection(Section):
    """How a phase is optimized."""

    epochs: int = Field(ge=1)
    pairs_per_epoch: int = Field(ge=1)
    pairs_per_batch: int = Field(ge=1)
    batches_per_step: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    schedule: Literal["plateau", "cosine", "constant"]
    warmup_steps: int = Field(ge=0)
    gradient_clip: float = Field(ge=0)
    precision: Precision
    ema_decay: float = Field(ge=0, lt=1)

    @property
    def n_steps(self) -> int:
        """Steps of the phase."""
        return self.n_steps_of(1)

    def n_steps_of(self, n_processes: int) -> int:
        """Return the steps of the phase if several processes have a batch each; the last of an epoch may have fewer."""
        n_batches = math.ceil(self.pairs_per_epoch / (self.pairs_per_batch * n_processes))
        return self.epochs * math.ceil(n_batches / self.batches_per_step)

    @model_validator(mode="after")
    def _batches_can_be_filled(self) -> Self:
        if self.pairs_per_batch > self.pairs_per_epoch:
            raise ValueError(
                f"pairs_per_batch is {self.pairs_per_batch}, expected at most pairs_per_epoch, {self.pairs_per_epoch}"
            )
        return self


class StyleLossSection(Section):
    """Weights of the terms of phase 2; a term of weight 0 is not computed."""

    style: float = Field(ge=0)
    content: float = Field(ge=0)
    consistency: float = Field(ge=0)
    supervised: float = Field(ge=0)
    prediction: float = Field(ge=0)
    content_wanted: Literal["adain", "source"]
    freeze_encoder: bool

    @property
    def need_truth(self) -> bool:
        """Whether a term compares with the truth, which real scans do not have."""
        return bool(self.supervised or self.prediction)

    @model_validator(mode="after")
    def _something_is_learned_of_the_target(self) -> Self:
        wanted = ["style", "supervised", "prediction"] + ["content"] * (self.content_wanted == "adain")
        if any(getattr(self, name) for name in wanted):
            return self
        if not (self.content or self.consistency):
            raise ValueError("style, content, consistency, supervised and prediction are all 0, expected one above 0")
        raise ValueError(
            f"{', '.join(wanted)} are all 0, expected one above 0: "
            f"{'content' if self.content else 'consistency'} alone teaches nothing of the target's style"
        )


class TrainingSettings(Section):
    """Everything a run needs to be repeated, but the label maps."""

    network: NetworkSection
    data: DataSection
    scans: ScansSection
    augmentation: AugmentationSection
    encoder: PhaseSection
    style: PhaseSection
    losses: StyleLossSection

    @model_validator(mode="after")
    def _edges_fit_the_network(self) -> Self:
        stride = self.network.to_settings().stride
        if any(n < stride or n % stride for n in self.data.shape):
            raise ValueError(f"data.shape is {self.data.shape}, expected multiples of the network's stride, {stride}")
        if self.data.patch % stride or self.data.patch > min(self.data.shape):
            raise ValueError(
                f"data.patch is {self.data.patch}, expected 0 or a multiple of {stride} that fits into data.shape"
            )
        return self


class TissueNetworkSection(Section):
    """Widths and depths of the tissue network, see `TissueNetworkSettings`."""

    channels: tuple[int, ...]
    blocks: tuple[int, ...]

    @model_validator(mode="after")
    def _is_a_network(self) -> Self:
        self.to_settings()
        return self

    def to_settings(self) -> TissueNetworkSettings:
        """Return them as the network takes them."""
        return TissueNetworkSettings(self.channels, self.blocks)


class ScanSection(Section):
    """What is simulated for the tissue network."""

    spacing_mm: float = Field(gt=0)
    shape: tuple[int, int, int]
    n_heads: int = Field(ge=1)
    n_validation_heads: int = Field(ge=1)
    n_validation_scans: int = Field(ge=1)
    patch: int = Field(ge=1)
    n_workers: int = Field(ge=0)
    seed: int = Field(ge=0, lt=2**32)


class TissuePhaseSection(Section):
    """How the tissue network is optimized."""

    n_steps: int = Field(ge=1)
    steps_per_epoch: int = Field(ge=1)
    scans_per_step: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    precision: Precision
    ema_decay: float = Field(ge=0, lt=1)


class TissueTrainingSettings(Section):
    """Everything a run of the tissue network needs to be repeated, but the label maps."""

    network: TissueNetworkSection
    data: ScanSection
    tissues: TissuePhaseSection

    @model_validator(mode="after")
    def _patches_fit_the_network(self) -> Self:
        stride = self.network.to_settings().stride
        if self.data.patch % stride:
            raise ValueError(f"data.patch is {self.data.patch}, expected a multiple of the network's stride, {stride}")
        if self.data.patch > min(self.data.shape):
            raise ValueError(f"data.patch is {self.data.patch}, expected at most the edges of data.shape")
        return self


def load_settings(path: str | Path) -> TrainingSettings:
    """
    Read the settings of a run of the paper's two phases.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no TOML, a key is unknown or missing, or a value is out of range.
    """
    return read_settings(path, TrainingSettings)


def load_tissue_settings(path: str | Path) -> TissueTrainingSettings:
    """
    Read the settings of a run of the tissue network.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no TOML, a key is unknown or missing, or a value is out of range.
    """
    return read_settings(path, TissueTrainingSettings)


def read_settings(path: str | Path, kind: type[_Kind]) -> _Kind:
    """
    Read settings of a kind.

    Parameters
    ----------
    path : path
    kind : type
        Of the settings, whose attributes are the tables of the file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no TOML, a key is unknown or missing, or a value is out of range.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"no settings at {path}", hint="configs/ has paper.toml, compact.toml and smoke.toml.")
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        # A misspelt key is unknown and missing at once; the first helps more.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        hint = _suggestion(first, kind)
        raise InputError(": ".join(filter(None, (str(path), where, message))), hint=hint) from error


def _suggestion(error: ErrorDetails, kind: type[Section]) -> str:
    """Return the known key that is most like an unknown one."""
    if error["type"] != "extra_forbidden":
        return ""
    sections = {name: info.annotation for name, info in kind.model_fields.items()}
    section = sections.get(str(error["loc"][0])) if len(error["loc"]) > 1 else None
    known = list(getattr(section, "model_fields", sections))
    close = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known are {', '.join(known)}."
