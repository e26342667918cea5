"""Networks as other programs call them: named volumes in, one volume out, nothing of ours in between.

The first input is called `image` and the output `pred`, as MONAI's bundles have it. What has to be done before and
after is in `interface`.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from hail_mri.errors import InputError
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import load_model
from hail_mri.preprocess.prepare import CEILING


class TissueMapNetwork(nn.Module):
    """The tissue network, from a scan to its tissue map.

    Parameters
    ----------
    network : TissueNetwork
    """

    def __init__(self, network: TissueNetwork) -> None:
        super().__init__()
        self.network = network
        self.stride = network.settings.stride

    def forward(self, image: Tensor) -> Tensor:
        """
        Return the share of each tissue class in every voxel.

        Parameters
        ----------
        image : (B, 1, I, J, K) Tensor
            On the [0, 1] scale of `prepare`; edges are multiples of the stride.

        Returns
        -------
        pred : (B, n_classes, I, J, K) Tensor
            At least 0, adding up to 1.

        Raises
        ------
        InputError
            If an edge is no multiple of the stride.
        """
        _check_edges("image", image, self.stride)
        return self.network.tissue_map(image.clamp(max=CEILING))


class HarmonizingNetwork(nn.Module):
    """The paper's network, from a source and a target to prediction and reconstruction.

    Parameters
    ----------
    network : FeatureStyleNetwork
    """

    def __init__(self, network: FeatureStyleNetwork) -> None:
        super().__init__()
        self.network = network
        self.stride = network.settings.stride

    def forward(
        self,
        image: Tensor,
        target: Tensor,
        image_weight: Tensor | None = None,
        target_weight: Tensor | None = None,
    ) -> Tensor:
        """
        Return the source in the target's style, and in its own.

        Parameters
        ----------
        image, target : (B, 1, I, J, K) Tensor
            Source and target, each on its own [0, 1] scale, each of its own size; edges are multiples of the stride.
        image_weight, target_weight : (B, 1, I, J, K) Tensor, optional
            Where the style of each is measured, at least 0, not everywhere 0; without it in the whole volume, air
            included.

        Returns
        -------
        pred : (B, 2, I, J, K) Tensor
            Prediction p and reconstruction r.

        Raises
        ------
        InputError
            If an edge is no multiple of the stride.
        """
        _check_edges("image", image, self.stride)
        _check_edges("target", target, self.stride)
        source, target = image.clamp(max=CEILING), target.clamp(max=CEILING)
        return torch.cat(self.network(source, target, image_weight, target_weight), dim=1)


CallableNetwork = TissueMapNetwork | HarmonizingNetwork


def callable_network(network: FeatureStyleNetwork | TissueNetwork) -> CallableNetwork:
    """
    Return a network as other programs call it, ready for inference.

    Raises
    ------
    InputError
        If it is of another kind than those above.
    """
    if isinstance(network, TissueNetwork):
        return TissueMapNetwork(network).eval()
    if isinstance(network, FeatureStyleNetwork):
        return HarmonizingNetwork(network).eval()
    raise InputError(
        f"a {type(network).__name__} is not exported", hint="take a tissue network, or one of the paper's kind"
    )


def load_callable_network(weights: str | Path) -> CallableNetwork:
    """
    Read a network as other programs call it; errors as `load_model`.

    Parameters
    ----------
    weights : str or Path
        A .safetensors file with its model card beside it, or the name of a released model.
    """
    network, _ = load_model(weights)
    return callable_network(network)


def _check_edges(name: str, volume: Tensor, stride: int) -> None:
    """Refuse a volume that the stages of the network cannot halve."""
    edges = volume.shape[2:]
    if any(edge % stride for edge in edges):
        raise InputError(
            f"{name} has {' x '.join(map(str, edges))} voxels, expected multiples of {stride} along every edge",
            hint="pad it with zeros",
        )
