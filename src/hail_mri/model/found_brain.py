"""Where the brain of a scan is, by the tissues that the released model finds in it."""

import numpy as np
import torch
from numpy.typing import NDArray

from hail_mri.errors import InputError
from hail_mri.image.separable import along_axes
from hail_mri.image.volume import Volume
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.tissue_masks import brain_mask
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import load_model
from hail_mri.preprocess.prepare import CEILING, prepare

TISSUE_MODEL = "compact"
MASK_LEVEL = 0.5


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
