"""The networks of Liu et al., as small as they can be, and the papers' own by their numbers."""

import math

import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.model.residual_blocks import ResidualBlock, StyledNorm, StyledResidualBlock
from hail_mri.model.slice_gan import (
    Discriminator,
    Generator,
    SliceGan,
    SliceGanSettings,
    SliceReader,
    crop_slices,
    mapping_network,
    pad_slices,
)

SMALL = SliceGanSettings(size=32, width=4, widest=8, n_style=6, n_latent=3, n_hidden=8)
PAPERS = SliceGanSettings(size=256, width=64, widest=512, n_style=64, n_latent=16, n_hidden=512)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return SliceGan(SMALL)


@pytest.fixture
def slices():
    return torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))


def shapes_in(network, kinds, *inputs):
    """Channels and edge of what each block of a network returns."""
    found = []
    for module in network.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(lambda _module, _inputs, output: found.append(tuple(output.shape[1:3])))
    network(*inputs)
    return found


def test_the_papers_generator_has_the_blocks_of_its_table():
    with torch.device("meta"):
        blocks = shapes_in(
            Generator(PAPERS), (ResidualBlock, StyledResidualBlock), torch.zeros(1, 1, 256, 256), torch.zeros(1, 64)
        )
    down = [(128, 128), (256, 64), (512, 32), (512, 16), (512, 16), (512, 16)]
    assert blocks == [*down, (512, 16), (512, 16), (512, 32), (256, 64), (128, 128), (64, 256)]


def test_the_papers_style_encoder_and_discriminator_have_the_blocks_of_their_table():
    with torch.device("meta"):
        blocks = shapes_in(SliceReader(PAPERS, 64), ResidualBlock, torch.zeros(1, 1, 256, 256))
    assert blocks == [(128, 128), (256, 64), (512, 32), (512, 16), (512, 8), (512, 4)]


def test_the_papers_mapping_network_has_the_layers_of_its_table():
    layers = [m for m in mapping_network(PAPERS) if isinstance(m, torch.nn.Linear)]
    widths = [(layer.in_features, layer.out_features) for layer in layers]
    assert widths == [(16, 512), *[(512, 512)] * 6, (512, 64)]


def test_a_styled_norm_gives_each_channel_the_mean_and_deviation_that_the_style_says():
    norm = StyledNorm(3, 6)
    features, style = torch.randn(2, 3, 8, 8), torch.randn(2, 6)
    scale, shift = norm.affine(style).chunk(2, dim=1)
    styled = norm(features, style)
    torch.testing.assert_close(styled.mean(dim=(2, 3)), shift, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(styled.std(dim=(2, 3), correction=0), scale.abs(), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(ResidualBlock(4, 4, resampling="keep", normalize=False), id="plain"),
        pytest.param(ResidualBlock(4, 4, resampling="keep", normalize=True), id="normalized"),
    ],
)
def test_a_block_whose_convolutions_are_0_returns_its_features_times_the_root_of_one_half(block):
    for parameter in block.second.parameters():
        torch.nn.init.zeros_(parameter)
    features = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(block(features), features / math.sqrt(2))


def test_slices_keep_their_shape_and_a_style_is_that_of_its_own_slice(network, slices):
    styles = network.style_encoder(slices)
    both = network.generator(slices, styles)
    assert both.shape == slices.shape
    for n in range(2):
        alone = network.generator(slices[n : n + 1], network.style_encoder(slices[n : n + 1]))
        torch.testing.assert_close(both[n : n + 1], alone, atol=1e-4, rtol=1e-4)


def test_another_style_makes_another_slice(network, slices):
    one, other = (network.generator(slices, torch.full((2, 6), number)) for number in (-1.0, 1.0))
    assert (one - other).abs().mean() > 0.01


def test_weights_begin_as_in_the_paper(network):
    for name, parameter in network.named_parameters():
        if name.endswith("affine.bias"):
            assert parameter.tolist() == [1.0] * (len(parameter) // 2) + [0.0] * (len(parameter) // 2)
        elif name.endswith("bias"):
            assert not parameter.any(), name
    weights = Discriminator(SMALL).gather.weight  # those of PyTorch's own beginning are less than half as large
    assert weights.std().item() == pytest.approx(math.sqrt(2 / (8 * 16)), rel=0.15)


def test_every_weight_has_a_part_in_the_result(network, slices):
    styles = network.style_encoder(slices) + network.mapping(torch.randn(2, 3))
    (network.generator(slices, styles) ** 2).sum().backward()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


@pytest.mark.parametrize("shape", [(20, 31), (32, 32), (1, 2)])
def test_padding_adds_air_around_and_cropping_takes_it_away(shape):
    slices = 1 + torch.rand(2, 1, *shape)
    squares = pad_slices(slices, 32)
    assert squares.shape == (2, 1, 32, 32)
    assert squares.sum().item() == pytest.approx(slices.sum().item(), rel=1e-5)
    assert torch.equal(crop_slices(squares, shape), slices)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"size": 100}, "slices of 100 pixels, expected one of 32, 64", id="no power of two"),
        pytest.param({"width": 0}, "width is 0", id="no channels"),
        pytest.param({"n_style": 1e9}, "n_style is", id="too many"),
    ],
)
def test_networks_that_cannot_be_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        SliceGanSettings(**{"size": 32, "width": 4, "widest": 8, "n_style": 6, "n_latent": 3, "n_hidden": 8} | change)


def test_slices_larger_than_the_networks_are_refused():
    with pytest.raises(InputError, match="slices have 20 x 33 pixels, expected at most 32 x 32"):
        pad_slices(torch.zeros(1, 1, 20, 33), 32)
