"""A brain in another brain's style, slice by slice, by the networks of Liu et al.

References
----------
Liu et al., Style Transfer Using Generative Adversarial Networks for Multi-Site MRI Harmonization, MICCAI 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hail_mri.errors import InputError
from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.slice_gan import SliceGan, crop_slices, pad_slices

SLICES_AT_ONCE = 8
AXIAL = 2  # the axis of RAS along which axial slices are stacked
FEWEST_BRAIN = 0.25  # of the largest slice's brain, that a slice has to show to have a say in the style


@flushed_denormals()
@torch.inference_mode()
def harmonize_slices(network: SliceGan, source: Tensor, target: Tensor) -> Tensor:
    """
    Give a brain the style of another, one axial slice after the other.

    Parameters
    ----------
    network : SliceGan
        Ready for inference, see `load_model`.
    source, target : (I, J, K) Tensor
        Skull-stripped brains with axes R, A, S, voxels of the network's spacing, upright as registered ones are; no
        signal and all outside the brain is 0, white matter 0.6 (the [0, 1] scale of `prepare`). The grids may differ;
        I and J are at most `network.settings.size`.

    Returns
    -------
    prediction : (I, J, K) Tensor
        The source on its own grid, on the same scale; 0 where the source is 0.

    Raises
    ------
    InputError
        If a slice is larger than the network's, or a brain is empty.

    Notes
    -----
    Each slice is a result of its own: nothing makes neighbours agree but the style, which is the same for all.
    """
    style = mean_style(network, target)
    if not (source != 0).any():
        raise InputError("the source holds no brain: it is 0 everywhere")
    shape = (source.shape[0], source.shape[1])
    squares = pad_slices(_slices_of(source), network.settings.size)  # (K, 1, size, size)
    parts = [network.generator(part, style.expand(len(part), -1)) for part in squares.split(SLICES_AT_ONCE)]
    prediction = crop_slices(torch.cat(parts), shape)
    return prediction[:, 0].movedim(0, AXIAL) * (source != 0)


@torch.inference_mode()
def mean_style(network: SliceGan, brain: Tensor) -> Tensor:
    """
    Return the mean style code of a brain's axial slices, (1, n_style).

    Parameters
    ----------
    network : SliceGan
    brain : (I, J, K) Tensor
        See `harmonize_slices`; slices with less than a quarter of the brain of the largest have no say.

    Raises
    ------
    InputError
        If a slice is larger than the network's, or the brain is empty.
    """
    slices = _slices_of(brain)
    n_inside = (slices != 0).sum(dim=(1, 2, 3))
    if not n_inside.any():
        raise InputError("the target holds no brain: it is 0 everywhere")
    squares = pad_slices(slices[n_inside >= FEWEST_BRAIN * n_inside.max()], network.settings.size)
    codes = [network.style_encoder(part) for part in squares.split(SLICES_AT_ONCE)]
    return torch.cat(codes).mean(dim=0, keepdim=True)


def _slices_of(volume: Tensor) -> Tensor:
    """Return the axial slices of a volume as images, (K, 1, I, J)."""
    return volume.movedim(AXIAL, 0)[:, None]
