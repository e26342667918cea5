"""What the paper's encoder makes of a prepared scan."""

import torch

from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.tiles import EncodedVolume, encode
from hail_mri.preprocess.prepare import CEILING, Prepared


def encode_prepared(network: FeatureStyleNetwork, prepared: Prepared) -> EncodedVolume:
    """Return features and style of a scan, on the device that the network is on.

    Parameters
    ----------
    network : FeatureStyleNetwork
    prepared : Prepared
        On the network's grid.
    """
    device = next(network.parameters()).device
    volume, weight = (torch.as_tensor(a)[None, None].to(device) for a in (prepared.data, prepared.measured))
    return encode(network, volume.clamp(max=CEILING), weight)
