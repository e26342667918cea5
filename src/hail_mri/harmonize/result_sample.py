"""A source and its result side by side, at a sample of voxels about 2 mm apart: what checks of the result look at.

Both are on the [0, 1] scale of their own units, so that where nothing changes they are the same number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hail_mri.harmonize.harmonized import Source
from hail_mri.harmonize.tissue_model import TissueReading
from hail_mri.image.gradients import Voxels
from hail_mri.image.scales import LinearScale
from hail_mri.image.separable import along_axes
from hail_mri.model.tissue_classes import CSF, GREY_MATTER, WHITE_MATTER

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

APART = 2.0  # mm between voxels of a sample, at least; all of them where voxels are larger
TISSUES = {"fluid": CSF, "grey matter": GREY_MATTER, "white matter": WHITE_MATTER}  # from dark to bright
PURE = 0.8  # share of a tissue in a voxel that stands for it


@dataclass(frozen=True)
class ResultSample:
    """Voxels of the head in a source and in its result.

    Attributes
    ----------
    voxels : three (n,) arrays of int
        Indices in canonical axes.
    source, result : (n,) ndarray
        Intensities, each on its own [0, 1] scale; the same number where nothing was changed.
    brain : (n,) bool ndarray
        Where the model finds brain; everywhere if it does not know.
    tissues : dict of str to (n,) bool ndarray
        Voxels of one tissue alone, by its name; empty if the model does not know them.
    """

    voxels: Voxels
    source: FloatArray
    result: FloatArray
    brain: BoolArray
    tissues: dict[str, BoolArray]


def sample_result(source: Source, result: FloatArray, scale: LinearScale) -> ResultSample:
    """Take the sample.

    Parameters
    ----------
    source : Source
        As it was read.
    result : (I, J, K) ndarray
        In canonical axes.
    scale : LinearScale
        Of the result.
    """
    native = source.preparation.native(source.reading.prepared)
    raw = source.preparation.raw
    i, j, k = (max(1, round(APART / spacing)) for spacing in raw.spacing.tolist())
    lattice = np.s_[::i, ::j, ::k]
    where = np.nonzero(native.head[lattice] & ~native.erased[lattice])
    voxels = (where[0] * i, where[1] * j, where[2] * k)
    found = brain_of(source)
    brain = np.ones(len(voxels[0]), bool) if found is None else at_native_voxels(source, found, lattice)[where]
    tissues = {}
    if found is not None and isinstance(source.reading, TissueReading):
        shares = source.reading.fit.tissue_map.numpy()
        tissues = {
            name: at_native_voxels(source, shares[k] > PURE, lattice)[where] & brain for name, k in TISSUES.items()
        }
    return ResultSample(voxels, native.scale.apply(raw.data[voxels]), scale.apply(result[voxels]), brain, tissues)


def brain_of(source: Source) -> BoolArray | None:
    """Return where the model finds brain, on the network grid; None if it does not know."""
    reading = source.reading
    return reading.measures.brain if isinstance(reading, TissueReading) and reading.measures is not None else None


def solid_brain_of(source: Source) -> BoolArray | None:
    """Return where the model finds brain and next to no fluid, on the network grid; None if it knows no brain."""
    brain = brain_of(source)
    if brain is None or not isinstance(source.reading, TissueReading):
        return brain
    return np.asarray(brain & (source.reading.fit.tissue_map.numpy()[CSF] < 1 - PURE))


def at_native_voxels(source: Source, mask: BoolArray, voxels: tuple[slice, slice, slice]) -> BoolArray:
    """Return a mask of the network grid at some voxels of the scan, canonical axes, nearest neighbour."""
    matrices = source.reading.prepared.to_native
    if source.preparation.registered is None:
        nearest = [matrix[here].argmax(axis=1) for matrix, here in zip(matrices, voxels, strict=True)]
        return np.asarray(mask[np.ix_(*nearest)])
    return np.asarray(source.preparation.to_native(along_axes(mask.astype(np.float32), matrices))[voxels] > 0.5)
