"""The axial slices of the brains of prepared scans, as files of which one slice can be read alone.

Whole heads are skull-stripped by the tissues that the released model finds in them; of a scan that has nothing but a
brain, its brain is what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from hail_mri.errors import InputError
from hail_mri.image.separable import along_axes
from hail_mri.image.volume import Volume
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.tissue_masks import brain_mask
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import load_model, weights_hash
from hail_mri.preprocess.prepare import CEILING, prepare
from hail_mri.provenance.atomic_write import write_together
from hail_mri.training.data.prepared_scans import PreparedScan

TISSUE_MODEL = "compact"
FORMAT = 1  # of the files; another number makes all be made anew
MASK_LEVEL = 0.5


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


@flushed_denormals()
@torch.inference_mode()
def find_brain(scan: Volume) -> NDArray[np.bool_]:
    """
    Return where the brain of a scan is, (I, J, K) bool.

    Parameters
    ----------
    scan : Volume
        Axes R, A, S.

    Raises
    ------
    InputError
        If no brain is found.
    """
    network, card = load_model(TISSUE_MODEL)
    if not isinstance(network, TissueNetwork):
        raise AssertionError("the released model is a tissue network")
    prepared = prepare(scan, spacing=card.spacing_mm, stride=network.settings.stride)
    seen = torch.from_numpy(prepared.data)[None, None].clamp(max=CEILING)
    brain = brain_mask(network.tissue_map(seen)[0].numpy(), card.spacing_mm)
    found = along_axes(brain.astype(np.float32), prepared.to_native) > MASK_LEVEL
    if not found.any():
        raise InputError("no brain was found in it", "give T1-weighted scans of heads or of skull-stripped brains")
    return np.asarray(found)
