"""Gradients of convolutions in bf16 on features that are hardly thicker than a voxel."""

import pytest
import torch

from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.thin_features import convolve
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings


def leave_nan_in_memory():
    """Fill memory with NaN and give it back: whoever reads memory that he has not written finds it."""
    for n in (2**k for k in range(8, 22)):
        blocks = [torch.full((n,), torch.nan) for _ in range(4)]
        del blocks


def gradients(network, volume, *, half):
    network.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        found = network(volume)
    leave_nan_in_memory()
    found.float().square().mean().backward()
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


@pytest.mark.parametrize("edges", [(2, 2, 2), (2, 8, 8), (1, 4, 4), (3, 4, 4)])
def test_the_gradient_in_bf16_is_about_that_in_single_precision(edges):
    torch.manual_seed(0)
    block = torch.nn.Conv3d(16, 16, 3, padding=1)
    features = torch.randn(2, 16, *edges)
    features = features.to(memory_format=torch.channels_last_3d)

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.block = block

        def forward(self, values):
            return convolve(self.block, values)

    wanted = gradients(Block(), features, half=False)
    for _ in range(4):
        found = gradients(Block(), features, half=True)
        assert torch.linalg.vector_norm(found - wanted) < 0.02 * torch.linalg.vector_norm(wanted)


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(
            FeatureStyleNetwork(FeatureNetworkSettings((4, 4, 4, 4), (1, 1, 1, 1), skips=False)), id="features"
        ),
        pytest.param(TissueNetwork(TissueNetworkSettings((8, 8, 8), (1, 1, 1))), id="tissues"),
    ],
)
def test_the_thin_features_of_a_network_and_no_others_are_convolved_in_single_precision(network):
    seen = {}

    def note(convolution, inputs, output):
        if convolution.kernel_size == (3, 3, 3):
            seen.setdefault(inputs[0].shape[2], set()).add(output.dtype)

    for module in network.modules():
        if isinstance(module, torch.nn.Conv3d):
            module.register_forward_hook(note)
    volume = torch.rand(1, 1, 16, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        network(*[volume, volume][: 2 if isinstance(network, FeatureStyleNetwork) else 1])
    assert seen.pop(2) == {torch.float32}
    assert set.union(*seen.values()) == {torch.bfloat16}
