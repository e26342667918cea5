"""Small networks with random weights, and a volume for them."""

import pytest
import torch

from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork


@pytest.fixture
def make_network():
    """Return a function that makes a small network, the same every time."""

    def make(*, channels=(4, 8, 8, 8), convs_per_stage=(1, 1, 1, 1), skips=True):
        torch.manual_seed(0)
        return (
            FeatureStyleNetwork(FeatureNetworkSettings(channels, convs_per_stage, skips)).eval().requires_grad_(False)
        )

    return make


@pytest.fixture
def volume():
    """(1, 1, 16, 24, 32) noise on a [0, 1] scale."""
    return torch.rand(1, 1, 16, 24, 32, generator=torch.Generator().manual_seed(1))
