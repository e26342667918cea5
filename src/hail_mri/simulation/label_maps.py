"""Label maps: whole heads as maps of tissues, read from FreeSurfer segmentations.

A *label map* lives in a frame in mm (RAS+) whose origin is the middle of its head. Subjects are made of it by
deformation (`subjects`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hail_mri.errors import InputError, MissingFileError
from hail_mri.simulation.tissues import AIR, tissue_of_label

LABEL_MAP_SUFFIXES = (".nii", ".nii.gz", ".mgz")


@dataclass(frozen=True)
class LabelMap:
    """Tissue indices of a head.

    Attributes
    ----------
    name : str
    tissue : (I, J, K) Tensor, uint8
        Indices into `TISSUES`, axes in the order R, A, S.
    origin : (float, float, float)
        Of voxel (0, 0, 0), mm.
    spacing : float
        Isotropic, mm.
    """

    name: str
    tissue: Tensor
    origin: tuple[float, float, float]
    spacing: float

    def at(self, points: Tensor) -> Tensor:
        """
        Return the tissue index nearest to each point.

        Parameters
        ----------
        points : (n, 3) Tensor
            In mm.

        Returns
        -------
        tissue : (n,) Tensor, uint8
            Air outside the map.
        """
        origin = torch.tensor(self.origin, device=points.device)
        size = torch.tensor(self.tissue.shape, device=points.device)
        voxels = ((points - origin) / self.spacing).round().long()
        inside = ((voxels >= 0) & (voxels < size)).all(dim=-1)
        voxels = voxels.clamp(min=torch.zeros_like(size), max=size - 1)
        flat = (voxels[:, 0] * size[1] + voxels[:, 1]) * size[2] + voxels[:, 2]
        return torch.where(inside, self.tissue.reshape(-1)[flat], torch.tensor(AIR, dtype=torch.uint8))

    def to(self, device: torch.device | str) -> LabelMap:
        """Return the same label map on another device."""
        return LabelMap(self.name, self.tissue.to(device), self.origin, self.spacing)


def find_label_maps(folder: str | Path) -> list[Path]:
    """
    Return the label maps of a folder, sorted by name.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    InputError
        If it holds no label map.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(f"no folder of label maps at {folder}", hint="Give a folder of whole-head label maps.")
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(LABEL_MAP_SUFFIXES))
    if not paths:
        raise InputError(f"{folder} holds no label map, expected {', '.join(LABEL_MAP_SUFFIXES)}")
    return paths


def load_label_map(path: str | Path) -> LabelMap:
    """
    Read a whole-head label map with FreeSurfer labels, isotropic, .nii, .nii.gz or .mgz.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is not a 3-D map of whole numbers with isotropic voxels, or holds labels that are not known.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"no label map at {path}", hint="Give a FreeSurfer-style segmentation of a whole head.")
    try:
        image = nib.funcs.as_closest_canonical(nib.loadsave.load(path))
        labels = np.asanyarray(image.dataobj)
    except (nib.filebasedimages.ImageFileError, OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{path} cannot be read as a label map: {error}", hint="Expected NIfTI or MGH.") from error
    return label_map_from_labels(labels, image.header.get_zooms()[:3], name=path.name.split(".")[0])


def label_map_from_labels(labels: np.ndarray, spacing: tuple[float, ...], *, name: str) -> LabelMap:
    """
    Make a label map of a FreeSurfer label array with axes in the order R, A, S.

    Parameters
    ----------
    labels : (I, J, K) ndarray
        Whole numbers.
    spacing : (float, float, float)
        mm, isotropic.
    name : str

    Raises
    ------
    InputError
        If the array is not 3-D, not isotropic or holds labels that are not known.
    """
    if labels.ndim != 3:
        raise InputError(f"label map {name} has {labels.ndim} dimensions, expected 3", hint="Give one 3-D map.")
    if max(spacing) - min(spacing) > 0.01:
        sizes = " x ".join(f"{float(size):g}" for size in spacing)
        raise InputError(f"label map {name} has voxels of {sizes} mm", hint="Expected isotropic voxels; resample it.")
    table = tissue_of_label()
    if not np.isfinite(labels).all() or not np.array_equal(np.rint(labels), labels):
        raise InputError(f"label map {name} holds values that are no whole numbers", hint="Is it a scan?")
    whole = labels.astype(np.int64)
    unknown = sorted(set(np.unique(whole).tolist()) - set(table))
    if unknown:
        raise InputError(f"label map {name} holds values that are no known FreeSurfer label: {unknown[:8]}")
    lookup = np.zeros(max(table) + 1, np.uint8)
    lookup[list(table)] = list(table.values())
    return centred_label_map(lookup[whole], float(spacing[0]), name)


def centred_label_map(tissue: NDArray[np.uint8], spacing: float, name: str) -> LabelMap:
    """
    Crop to the head, and put the origin into the middle of what is not air, 110 mm below the vertex.

    Parameters
    ----------
    tissue : (I, J, K) ndarray, uint8
        Indices into `TISSUES`, axes in the order R, A, S.
    spacing : float
        Isotropic, mm.
    name : str

    Raises
    ------
    InputError
        If there is no tissue.
    """
    occupied = np.argwhere(tissue != AIR)
    if len(occupied) == 0:
        raise InputError(f"label map {name} holds no tissue")
    low, high = occupied.min(axis=0), occupied.max(axis=0)
    middle = (low + high) / 2
    middle[2] = high[2] - 110 / spacing  # necks are cut at any height, vertices are not
    cropped = np.ascontiguousarray(tissue[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))])
    x, y, z = ((low - middle) * spacing).tolist()
    return LabelMap(name, torch.from_numpy(cropped), (x, y, z), spacing)
