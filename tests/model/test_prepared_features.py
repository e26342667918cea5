"""A scan is encoded where the network is."""

import pytest
import torch

from hail_mri.model.prepared_features import encode_prepared
from hail_mri.preprocess.prepare import prepare


def test_a_scan_goes_to_the_device_of_the_network(make_network, make_head):
    network, devices = make_network().to("meta"), []  # a device that every machine has, and that keeps no numbers
    network.encoder.register_forward_pre_hook(lambda _, given: devices.append(given[0].device.type))
    prepared = prepare(make_head(), spacing=8.0, stride=network.settings.stride)
    with torch.inference_mode(), pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        encode_prepared(network, prepared)
    assert devices == ["meta"]
