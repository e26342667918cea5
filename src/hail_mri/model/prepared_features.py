"""What the paper's encoder makes of a prepared scan."""

import torch

from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.tiles import EncodedVolume, encode
from hail_mri.preprocess.prepare import CEILING, Prepared


def encode_prepared(network: FeatureStyleNetwork, prepared: Prepared, device: torch.device | str) -> EncodedVolume:
    """Return features and style of a scan.

    Parameters
    ----------
    network : FeatureStyleNetwork
        On `device`.
    prepared : Prepared
        On the network's grid.
    device : torch.device or str
    """
    volume, weight = (torch.as_tensor(a)[None, None].to(device) for a in (prepared.data, prepared.measured))
    return encode(network, volume.clamp(max=CEILING), weight)
