"""What is known of the lesions in a simulated scan: where they are, and how large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hail_mri.simulation.lesions.pathologies import FIRST_PATHOLOGY
from hail_mri.simulation.phantoms import voxel_points
from hail_mri.simulation.travelling import Visit


@dataclass(frozen=True, eq=False)
class KnownLesions:
    """The lesions of a visit.

    Attributes
    ----------
    labels : (I, J, K) uint8 array
        On the scan's grid: where lesions fill more than half of a voxel, the number, from 1, of the one that fills most
        of it; 0 elsewhere.
    kinds : tuple of str
        Of each lesion, in the order of its number.
    volumes : tuple of float
        Of each lesion, ml, by the points that it holds: parts of voxels count.
    """

    labels: NDArray[np.uint8]
    kinds: tuple[str, ...]
    volumes: tuple[float, ...]

    def mask(self, number: int) -> NDArray[np.bool_]:
        """Return where a lesion is; nowhere, if it is smaller than half a voxel."""
        return np.asarray(self.labels == number)


def known_lesions(visit: Visit) -> KnownLesions:
    """Say where the lesions of a visit are.

    Parameters
    ----------
    visit : Visit
        Its subject has at most 255 lesions.

    Notes
    -----
    A lesion travels with its subject: another visit has the same lesions, in the same order, on the grid of its scan.
    """
    head, lesions = visit.head, visit.subject.lesions
    diseased = (head.tissue >= FIRST_PATHOLOGY).any(dim=1)
    number = visit.subject.lesion_at(voxel_points(head, head.voxels[diseased], visit.transform))
    counts = torch.nn.functional.one_hot(number.long(), len(lesions) + 1).sum(dim=1)[:, 1:]
    labels = torch.zeros(len(head.voxels))
    if lesions:
        labels[diseased] = torch.where(2 * counts.sum(dim=1) > number.shape[1], counts.argmax(dim=1) + 1, 0).float()
    point_ml = abs(float(np.linalg.det(head.affine[:3, :3]))) / head.tissue.shape[1] / 1000
    return KnownLesions(
        head.on_grid(labels).numpy().astype(np.uint8),
        tuple(lesion.kind for lesion in lesions),
        tuple((point_ml * counts.sum(dim=0)).tolist()),
    )
