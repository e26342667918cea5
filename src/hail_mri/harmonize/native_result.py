"""The way back: from prediction and reconstruction on the network grid to the native voxels in the target's units."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hail_mri.harmonize.transfer import settings_for, transfer
from hail_mri.image.scales import LinearScale
from hail_mri.preprocess.prepare import Prepared

FloatArray = NDArray[np.float32]


def native_change(
    prepared: Prepared, scaled: FloatArray, p: Tensor, r: Tensor, *, interior: FloatArray | None = None
) -> FloatArray:
    """
    Return the change of every native voxel, on the target's scale; 0 outside the network grid.

    Parameters
    ----------
    prepared : Prepared
        The source.
    scaled : (I, J, K) ndarray of float32
        See `Prepared.scaled`.
    p, r : (i, j, k) Tensor
        Prediction and reconstruction on the network grid.
    interior : (i, j, k) ndarray of float32, 0 to 1, optional
        See `Reading`.
    """
    covered = tuple(np.flatnonzero(matrix.any(axis=0)) for matrix in prepared.to_network)
    box = tuple(slice(int(voxels[0]), int(voxels[-1]) + 1) for voxels in covered)
    to_network = tuple(matrix[:, span] for matrix, span in zip(prepared.to_network, box, strict=True))
    to_native = tuple(matrix[span] for matrix, span in zip(prepared.to_native, box, strict=True))
    change = np.zeros_like(scaled)
    change[box] = transfer(
        torch.from_numpy(np.ascontiguousarray(scaled[box])),
        p,
        r,
        torch.from_numpy(prepared.measured),
        torch.from_numpy(prepared.background),
        interior=None if interior is None else torch.from_numpy(interior),
        lesion=None if prepared.lesion is None else torch.from_numpy(prepared.lesion),
        to_network=(to_network[0], to_network[1], to_network[2]),
        to_native=(to_native[0], to_native[1], to_native[2]),
        settings=settings_for(float(prepared.grid.spacing[0])),
    ).numpy()
    return change


def finish(
    prepared: Prepared, scaled: FloatArray, harmonized: FloatArray, target: LinearScale, *, strength: float
) -> FloatArray:
    """
    Mix by strength, keep the background, and go to the target's units.

    Parameters
    ----------
    prepared : Prepared
        The source.
    scaled, harmonized : (I, J, K) ndarray of float32
        The source and the full result, on the [0, 1] scale; the latter is changed in place.
    target : LinearScale
        The target's.
    strength : float, 0 to 1

    Returns
    -------
    finished : (I, J, K) ndarray of float32
        In units between the source's and the target's; canonical axes.
    """
    own = prepared.scale
    if strength == 0:
        return prepared.canonical.data
    # Air that was erased (skull-stripping, defacing) stays erased, and nothing becomes darker than air.
    np.maximum(harmonized, np.minimum(scaled, 0), out=harmonized)
    harmonized[prepared.erased] = 0
    if strength < 1:
        harmonized = scaled + np.float32(strength) * (harmonized - scaled)
    wanted = own.mixed(target, strength).invert(harmonized)
    # Negative noise of a scan stays, where there is no signal; an offset below 0, and noise below one, do not.
    if target.low >= 0 and (own.low < 0 or prepared.canonical.data.min() >= 0):
        np.maximum(wanted, 0, out=wanted)
    if prepared.has_marked_background:  # a value that stands for nothing in any unit stays what it is
        np.copyto(wanted, prepared.canonical.data, where=prepared.erased)
    return wanted
