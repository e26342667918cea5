"""The axial slices of the brains of prepared scans, as files of which one slice can be read alone.

Whole heads are skull-stripped by the tissues that the released model finds in them; of a scan that has nothing but a
brain, its brain is what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from hail_mri.image.volume import Volume
from hail_mri.model.found_brain import TISSUE_MODEL, find_brain
from hail_mri.model.weights import weights_hash
from hail_mri.provenance.atomic_write import write_together
from hail_mri.training.data.prepared_scans import PreparedScan

FORMAT = 1  # of the files; another number makes all be made anew


@dataclass(frozen=True)
class BrainSlices:
    """The slices of a brain that show any of it, from below.

    Attributes
    ----------
    path : Path
        Of the file.
    """

    path: Path

    def areas(self) -> Tensor:
        """Return how many pixels of each slice are brain, (n,)."""
        with safe_open(self.path, framework="pt") as file:
            return file.get_tensor("areas")

    def image(self, number: int) -> Tensor:
        """Return a slice, (I, J) float32 on the [0, 1] scale, 0 outside the brain."""
        with safe_open(self.path, framework="pt") as file:
            return file.get_slice("slices")[number].float()


def cut_brain(scan: PreparedScan, *, spacing: float) -> BrainSlices:
    """
    Write the slices of a prepared scan's brain beside it, if they are not there.

    Parameters
    ----------
    scan : PreparedScan
        On a grid that is a cube.
    spacing : float
        Of its voxels, mm.

    Raises
    ------
    InputError
        If no brain is found.
    """
    path = scan.path.with_name(f"{scan.path.stem}_brain{FORMAT}_{weights_hash(TISSUE_MODEL)[:8]}.safetensors")
    if path.is_file():
        return BrainSlices(path)
    data, _ = scan.patch((0, 0, 0), scan.shape()[0])
    brain = find_brain(Volume(data.numpy(), np.diag([spacing, spacing, spacing, 1.0])))
    slices = (data * torch.from_numpy(brain)).movedim(2, 0)  # (K, I, J)
    areas = torch.from_numpy(brain.sum(axis=(0, 1)))
    tensors = {"slices": slices[areas > 0].half().contiguous(), "areas": areas[areas > 0]}
    write_together([path], lambda hidden: hidden[path].write_bytes(save(tensors)))
    return BrainSlices(path)
