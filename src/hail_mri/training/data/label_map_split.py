"""Which label maps train, which choose the weights, and which are only reported on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hail_mri.errors import InputError
from hail_mri.simulation.label_maps import find_label_maps

N_VALIDATION, N_TEST = 2, 2  # before the last by name, and the last


@dataclass(frozen=True)
class LabelMapSplit:
    """Label maps by what they are for.

    Attributes
    ----------
    train, validation, test : tuple of Path
        Those that are learned from, those that choose the weights, those that choose nothing.
    """

    train: tuple[Path, ...]
    validation: tuple[Path, ...]
    test: tuple[Path, ...]


def split_label_maps(folder: str | Path) -> LabelMapSplit:
    """
    Split the label maps of a folder by name.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    InputError
        If it holds too few label maps.

    Examples
    --------
    >>> split_paths([Path(f"{n}.nii") for n in range(5)]).train
    (PosixPath('0.nii'),)
    """
    paths = find_label_maps(folder)
    if len(paths) <= N_VALIDATION + N_TEST:
        raise InputError(
            f"{folder} holds {len(paths)} label maps, expected at least {N_VALIDATION + N_TEST + 1}",
            hint=f"{N_VALIDATION} choose the weights, {N_TEST} are kept for a report; the others are learned from.",
        )
    return split_paths(paths)


def split_paths(paths: Sequence[Path]) -> LabelMapSplit:
    """Split label maps that are in order."""
    first, second = len(paths) - N_VALIDATION - N_TEST, len(paths) - N_TEST
    return LabelMapSplit(tuple(paths[:first]), tuple(paths[first:second]), tuple(paths[second:]))
