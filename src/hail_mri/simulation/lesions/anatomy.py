"""Where a lesion may lie: a subject read on a coarse grid of its own frame, with the distances that matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from hail_mri.errors import InputError
from hail_mri.simulation.lesions.pathologies import FIRST_PATHOLOGY
from hail_mri.simulation.phantoms import centred_affine, no_transform, place
from hail_mri.simulation.subjects import Subject, is_brain
from hail_mri.simulation.tissues import INDEX_OF

SPACING = 2.0  # mm
SHAPE = (96, 120, 128)  # voxels: the field of view of a head
_CORTEX = ("cortex", "cerebellar_cortex", "hippocampus")


@dataclass(frozen=True)
class Anatomy:
    """What a subject has where; (I, J, K) arrays on a grid of 2 mm.

    Attributes
    ----------
    white_matter : bool array
        Healthy white matter of the cerebrum.
    depth : float array
        Distance to the skull, mm; 0 outside it.
    to_fluid, to_cortex : float array
        Distance to the nearest CSF and the nearest cortex, mm. White matter nearer to fluid lies at a ventricle.
    """

    white_matter: NDArray[np.bool_]
    depth: NDArray[np.float32]
    to_fluid: NDArray[np.float32]
    to_cortex: NDArray[np.float32]

    def pick(self, here: NDArray[np.bool_], generator: torch.Generator, *, what: str) -> tuple[int, int, int]:
        """Draw one of these voxels.

        Parameters
        ----------
        here : (I, J, K) bool array
        generator : torch.Generator
        what : str
            To be put there, for the message.

        Raises
        ------
        InputError
            If there is none.
        """
        places = np.argwhere(here)
        if len(places) == 0:
            raise InputError(f"this head has no place for {what}", hint="take a whole head, with white matter")
        i, j, k = places[int(torch.randint(len(places), (), generator=generator))].tolist()
        return i, j, k


def read_anatomy(subject: Subject) -> Anatomy:
    """Read a subject, with the lesions that it has.

    Parameters
    ----------
    subject : Subject
    """
    head = place(subject, SHAPE, centred_affine(SHAPE, SPACING), transform=no_transform(), n_subsamples=1)
    tissue = head.on_grid(head.tissue[:, 0].float()).byte()
    in_skull = is_brain(tissue).numpy()
    labels = tissue.numpy()
    lesions = labels >= FIRST_PATHOLOGY
    cortex = np.isin(labels, [INDEX_OF[name] for name in _CORTEX])
    return Anatomy(
        (labels == INDEX_OF["white_matter"]) & (_distance(~lesions) > 2 * SPACING if lesions.any() else True),
        _distance(in_skull),
        _distance(labels != INDEX_OF["csf"]),
        _distance(~cortex),
    )


def millimetres(voxel: tuple[int, int, int]) -> Tensor:
    """Return where the middle of a voxel is, (3,) Tensor in mm of the subject's frame."""
    affine = centred_affine(SHAPE, SPACING)
    return torch.tensor(affine[:3, :3] @ np.array(voxel) + affine[:3, 3], dtype=torch.float32)


def _distance(outside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return each voxel's distance to the nearest that is not set, mm."""
    return np.asarray(ndimage.distance_transform_edt(outside, sampling=SPACING), dtype=np.float32)
