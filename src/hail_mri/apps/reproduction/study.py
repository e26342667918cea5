"""What is reproduced: how many subjects, how fine, in which directions, by which methods; and the two presets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hail_mri.apps.reproduction.published import DIRECTIONS
from hail_mri.errors import InputError
from hail_mri.harmonize.settings import OutputMode

Preset = Literal["small", "full"]
SIZES: dict[Preset, tuple[int, float]] = {"small": (2, 2.0), "full": (10, 1.0)}  # source subjects, spacing in mm


@dataclass(frozen=True)
class Method:
    """A row of the tables.

    Attributes
    ----------
    name : str
    model : str
        Name or path of weights; empty for a method without a network, which is found by its name.
    output_mode : "transfer" or "network"
        Of a model, see `HarmonizeSettings`.
    """

    name: str
    model: str = ""
    output_mode: OutputMode = "transfer"

    @property
    def folder(self) -> str:
        """The name as one of a folder."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@dataclass(frozen=True)
class Study:
    """A reproduction that can be made.

    Attributes
    ----------
    n_subjects : int
        Whose scans are harmonized in every direction; one more is the target.
    spacing : float
        Of all scans, isotropic, mm.
    methods : tuple of Method
    directions : tuple of str
        Such as "A to B".
    label_maps_dir : Path or None
        Of whole-head label maps, which subjects take in turn; without it the built-in MNI head.
    segmentation : "atropos" or "none"
        Who finds the tissues.
    seed : int

    Raises
    ------
    InputError
        If there are no subjects, or two methods have one name.
    """

    n_subjects: int
    spacing: float
    methods: tuple[Method, ...]
    directions: tuple[str, ...] = DIRECTIONS
    label_maps_dir: Path | None = None
    segmentation: Literal["atropos", "none"] = "atropos"
    seed: int = field(default=0)

    def __post_init__(self) -> None:
        if self.n_subjects < 1:
            raise InputError(f"{self.n_subjects} subjects are asked for, expected at least 1")
        folders = [method.folder for method in self.methods]
        if twice := [method.name for method in self.methods if folders.count(method.folder) > 1]:
            raise InputError(
                f"there are two methods called {twice[0]}", "give each model once, under a name of its own"
            )

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the subjects that are harmonized."""
        return tuple(f"sub-{number:02d}" for number in range(1, self.n_subjects + 1))

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of all sites."""
        return tuple(sorted({site for direction in self.directions for site in ends(direction)}))

    def targets_of(self, site: str) -> tuple[str, ...]:
        """Return the sites whose look scans of a site are given."""
        return tuple(b for a, b in map(ends, self.directions) if a == site)


def ends(direction: str) -> tuple[str, str]:
    """Return the sites of a direction.

    Examples
    --------
    >>> ends("A to B")
    ('A', 'B')
    """
    source, target = direction.split(" to ")
    return source, target


def study_of(preset: Preset, methods: Sequence[Method], *, label_maps_dir: Path | None, has_ants: bool) -> Study:
    """Return the study of a preset.

    Parameters
    ----------
    preset : "small" or "full"
    methods : sequence of Method
    label_maps_dir : Path or None
    has_ants : bool
        Whether Atropos can be asked.
    """
    n_subjects, spacing = SIZES[preset]
    segmentation: Literal["atropos", "none"] = "atropos" if has_ants else "none"
    return Study(n_subjects, spacing, tuple(methods), label_maps_dir=label_maps_dir, segmentation=segmentation)
