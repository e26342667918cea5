"""Models to harmonize with: small ones with random weights, and the released one when the package has it."""

import pytest
import torch

from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
from hail_mri.model.weights import ModelCard, released_models, save_model


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """Path of weights at 8 mm that were never trained: laws hold for any weights."""
    torch.manual_seed(0)
    network = FeatureStyleNetwork(FeatureNetworkSettings((4, 8, 8, 8), (1, 1, 1, 1), skips=True))
    card = ModelCard("small", "style", network.settings, 8.0, (), (), "2024-01-01", 0, 1.0)
    return save_model(network, card, tmp_path_factory.mktemp("model") / "small.safetensors")


@pytest.fixture(scope="session")
def small_tissue_model(tmp_path_factory):
    """The same of the kind that names tissues."""
    torch.manual_seed(0)
    network = TissueNetwork(TissueNetworkSettings((8, 8), (1, 1)))
    card = ModelCard("small_tissue", "tissues", network.settings, 8.0, (), (), "2024-01-01", 0, 1.0)
    return save_model(network, card, tmp_path_factory.mktemp("model") / "small_tissue.safetensors")


@pytest.fixture(scope="session", params=["small", "small_tissue", pytest.param("compact", marks=pytest.mark.slow)])
def model(request):
    """Name or path of a model; every test that asks for it runs with all, and in the fast suite with the small ones."""
    if request.param != "compact":
        return request.getfixturevalue(f"{request.param}_model")
    if "compact" not in released_models():
        pytest.skip("the package has no weights yet")
    return "compact"


@pytest.fixture
def other_head(make_head):
    """Target: another protocol, scale and position."""
    return make_head(signal=(0, 300, 90, 150, 260, 330), centre=(10, -5, 3), rotation=(4, 0, 8), shape=(38, 46, 44))
