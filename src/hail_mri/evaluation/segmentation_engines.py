"""Who finds the tissues of a scan: ANTs' Atropos, FreeSurfer's SynthSeg, FreeSurfer's finished labels, or label maps.

Terms
-----
engine
    A program that labels grey matter, white matter and fluid. It must not be the one that made the result.
native grid
    The grid of the scan as it is given, on which everything is compared. Where an engine works on a grid of its own,
    its labels are brought to the native grid by nearest neighbours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.evaluation.atropos import atropos_version, segment_by_atropos
from hail_mri.evaluation.label_grids import labels_on_grid
from hail_mri.evaluation.label_schemes import FREESURFER, THREE_TISSUES, scheme_of_file, three_tissues, told_scheme
from hail_mri.evaluation.scored_pair import check_on_source_grid
from hail_mri.evaluation.structures import label_map
from hail_mri.evaluation.synthseg import segment_by_synthseg, synthseg_version
from hail_mri.image.grid import Grid
from hail_mri.image.mask import MASK_THRESHOLD, load_mask
from hail_mri.image.nifti import load_volume, read_volume
from hail_mri.image.volume import Volume

Engine = Literal["atropos", "synthseg", "freesurfer", "given"]
Segmentation = Literal[Engine, "none"]
SEGMENTS: tuple[Engine, ...] = ("atropos", "synthseg")  # those that label scans, the others have labelled them
NATIVE = "native grid"


@dataclass(frozen=True)
class ScanLabels:
    """The tissues of a scan.

    Attributes
    ----------
    tissues : (I, J, K) array of uint8
        On the native grid, numbered as `THREE_TISSUES`; 0 for all else.
    made_on : str
        The grid on which the engine worked.
    scheme : str
        By what the numbers of a label map that was given were understood; empty where an engine made it.
    """

    tissues: NDArray[np.uint8]
    made_on: str = NATIVE
    scheme: str = ""


@dataclass(frozen=True)
class ScanFiles:
    """What an engine is given of a scan.

    Attributes
    ----------
    scan : Path
    brain_mask : Path or None
        Atropos looks there.
    labels : Path or None
        Finished labels, for the engines that read them.
    """

    scan: Path
    brain_mask: Path | None = None
    labels: Path | None = None


def find_tissues(files: ScanFiles, engine: Engine) -> ScanLabels:
    """Label the tissues of a scan.

    Parameters
    ----------
    files : ScanFiles
    engine : Engine

    Raises
    ------
    MissingFileError, InputError
        If a file cannot be read or is not named, labels or mask do not belong to the scan, or the engine is not
        installed or fails.
    """
    return _ENGINES[engine](files)


def engine_version(engine: Segmentation) -> str:
    """Return the version of the program that finds the tissues; empty where it is ours or not installed.

    Parameters
    ----------
    engine : Segmentation

    Notes
    -----
    FreeSurfer's is that of its `build-stamp.txt`, or else the hash of the command.
    """
    if engine == "atropos":
        return atropos_version()
    return synthseg_version() if engine == "synthseg" else ""


def _by_atropos(files: ScanFiles) -> ScanLabels:
    """Label three tissues in the brain mask."""
    scan, mask_path = load_volume(files.scan), files.brain_mask
    if mask_path is None:
        raise InputError(
            f"Atropos needs a brain mask of {files.scan}",
            "add the columns brain_mask and target_brain_mask, or choose another segmentation",
        )
    return ScanLabels(segment_by_atropos(scan, load_mask(mask_path, scan, files.scan).data > MASK_THRESHOLD))


def _by_synthseg(files: ScanFiles) -> ScanLabels:
    """Label the whole scan, and bring the labels to its grid."""
    return _from_freesurfer(segment_by_synthseg(files.scan), files.scan, f"what SynthSeg made of {files.scan}")


def _by_freesurfer(files: ScanFiles) -> ScanLabels:
    """Take finished labels, such as aparc+aseg.mgz, to the scan's grid."""
    path = _labels_path(files)
    return _from_freesurfer(read_volume(path), files.scan, str(path))


def _from_freesurfer(labels: Volume, scan_path: Path, name: str) -> ScanLabels:
    """Bring FreeSurfer's numbers to the grid of their scan, and to three tissues."""
    grid = read_volume(scan_path).grid
    found = labels_on_grid(labels, grid, name)
    if found.max(initial=0) <= max(n for values in THREE_TISSUES.values() for n in values):
        raise InputError(f"{name} has no label above 3, expected FreeSurfer's numbers", "give aparc+aseg or aseg")
    made_on = NATIVE if labels.grid.is_close(grid) else f"{_told(labels.grid)}, brought to the native grid"
    return ScanLabels(three_tissues(found, FREESURFER), made_on)


def read_tissues(path: Path, scan_path: Path) -> ScanLabels:
    """Read the tissues of a label map that lies on the grid of its scan.

    Parameters
    ----------
    path, scan_path : Path

    Raises
    ------
    MissingFileError, InputError
        If a file cannot be read, the grids differ, or labels are no whole numbers.
    """
    volume = read_volume(path)
    check_on_source_grid(volume, read_volume(scan_path), f"the label map {path}")
    labels = label_map(volume.data, str(path))
    scheme = scheme_of_file(path, labels)
    return ScanLabels(three_tissues(labels, scheme), scheme=told_scheme(scheme))


def _given(files: ScanFiles) -> ScanLabels:
    """Take the label map that a table names."""
    return read_tissues(_labels_path(files), files.scan)


def _labels_path(files: ScanFiles) -> Path:
    """Return where finished labels are, or say that there are none."""
    if files.labels is None:
        raise InputError(f"the line has no labels of {files.scan}", "add the column, or choose another segmentation")
    return files.labels


def _told(grid: Grid) -> str:
    """Return the size of a grid in words."""
    voxels, spacing = " x ".join(map(str, grid.shape)), " x ".join(f"{step:.3g}" for step in grid.spacing)
    return f"grid of {voxels} voxels of {spacing} mm"


_ENGINES: Mapping[Engine, Callable[[ScanFiles], ScanLabels]] = {
    "atropos": _by_atropos,
    "synthseg": _by_synthseg,
    "freesurfer": _by_freesurfer,
    "given": _given,
}
