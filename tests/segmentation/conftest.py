"""A model that knows no tissues."""

import pytest
import torch

from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.weights import ModelCard, save_model


@pytest.fixture(scope="session")
def small_feature_model(tmp_path_factory):
    """Path of weights of the paper's kind at 8 mm, never trained."""
    torch.manual_seed(0)
    network = FeatureStyleNetwork(FeatureNetworkSettings((4, 8), (1, 1), skips=True))
    card = ModelCard("small", "style", network.settings, 8.0, (), (), "2024-01-01", 0, 1.0)
    return save_model(network, card, tmp_path_factory.mktemp("model") / "small.safetensors")
