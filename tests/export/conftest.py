"""Small networks with random weights, as files, and what is exported from them: made once."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from hail_mri.export.callable_networks import CallableNetwork, load_callable_network
from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
from hail_mri.model.weights import ModelCard, save_model

SPACING = 8.0  # mm: a head has few voxels


@dataclass(frozen=True)
class SmallModel:
    """Weights on disk, and the network that they are."""

    path: Path
    card: ModelCard
    network: CallableNetwork

    def inputs(self, *, strides=(2, 3, 4), n_items=1, seed=0) -> dict[str, torch.Tensor]:
        """Return an input of each name; the target has other edges than the source."""
        generator = torch.Generator().manual_seed(seed)

        def noise(edges):
            return torch.rand(n_items, 1, *(edge * self.network.stride for edge in edges), generator=generator)

        # A little beyond what the network sees.
        inputs = {"image": 2 * noise(strides)}
        if self.card.phase == "style":
            inputs |= {"target": 2 * noise(strides[::-1]) ** 2}
            inputs |= {"image_weight": noise(strides), "target_weight": noise(strides[::-1])}
        return inputs


def small_model(network, phase, folder) -> SmallModel:
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():  # blocks start as the identity
        parameter.data.normal_(std=0.3, generator=generator)
    facts = {"name": f"small {phase}", "phase": phase, "network": network.settings, "spacing_mm": SPACING}
    facts |= {"training_data": ("a", "b"), "validation_data": ("c",), "date": "2026-11-26", "n_steps": 1}
    card = ModelCard(**facts, validation_loss=0.5, caution="Random weights.")
    path = save_model(network, card, folder / f"{phase}.safetensors")
    return SmallModel(path, card, load_callable_network(path))


@pytest.fixture(scope="session")
def tissue_model(tmp_path_factory) -> SmallModel:
    network = TissueNetwork(TissueNetworkSettings((4, 4), (1, 1)))
    return small_model(network, "tissues", tmp_path_factory.mktemp("tissues"))


@pytest.fixture(scope="session")
def style_model(tmp_path_factory) -> SmallModel:
    network = FeatureStyleNetwork(FeatureNetworkSettings((3, 4), (1, 1), skips=True))
    return small_model(network, "style", tmp_path_factory.mktemp("style"))


@pytest.fixture(params=["tissue_model", "style_model"])
def model(request) -> SmallModel:
    return request.getfixturevalue(request.param)
