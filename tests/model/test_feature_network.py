import pytest
import torch
from torch import nn

from hail_mri.errors import InputError
from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork, stage_weights

PAPER = FeatureNetworkSettings((64, 128, 256, 512), (1, 1, 1, 1), skips=False)  # appendix A


def kinds(module):
    """Names of the layers that are no containers, in order."""
    return [type(layer).__name__ for layer in module.modules() if not list(layer.children())]


@pytest.fixture(scope="module")
def paper():
    with torch.device("meta"):
        return FeatureStyleNetwork(PAPER)


def test_the_papers_encoder_is_four_stages_of_convolution_and_relu_between_max_pools(paper):
    assert [kinds(level) for level in paper.encoder.stages] == [["Conv3d", "ReLU"]] * 4
    convolutions = [layer for layer in paper.encoder.modules() if isinstance(layer, nn.Conv3d)]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [(1, 64), (64, 128), (128, 256), (256, 512)]
    assert {(c.kernel_size, c.stride, c.padding) for c in convolutions} == {((3, 3, 3), (1, 1, 1), (1, 1, 1))}
    assert isinstance(paper.encoder.pool, nn.MaxPool3d)
    assert (paper.encoder.pool.kernel_size, paper.encoder.pool.stride) == (2, 2)


def test_the_papers_decoder_is_the_encoders_mirror_without_a_last_relu(paper):
    deep_to_shallow = [kinds(level) for level in reversed(paper.decoder.stages)]
    assert deep_to_shallow == [["Conv3d", "ReLU"]] * 3 + [["Conv3d"]]
    convolutions = [layer for level in reversed(paper.decoder.stages) for layer in level.modules()]
    widths = [(c.in_channels, c.out_channels) for c in convolutions if isinstance(c, nn.Conv3d)]
    assert widths == [(512, 256), (256, 128), (128, 64), (64, 1)]
    assert (paper.decoder.upsample.scale_factor, paper.decoder.upsample.mode) == (2.0, "nearest-exact")


def test_the_paper_preset_has_the_number_of_parameters_counted_by_hand(paper):
    products = 1 * 64 + 64 * 128 + 128 * 256 + 256 * 512  # of widths; the same on the way down and up
    biases = (64 + 128 + 256 + 512) + (256 + 128 + 64 + 1)
    assert sum(p.numel() for p in paper.parameters()) == 2 * 27 * products + biases


def test_the_encoder_halves_the_edges_at_every_stage_and_the_decoder_doubles_them(make_network, volume):
    network = make_network()
    features = network.encoder(volume)
    assert [tuple(f.shape[1:]) for f in features] == [(4, 16, 24, 32), (8, 8, 12, 16), (8, 4, 6, 8), (8, 2, 3, 4)]
    assert network.decoder(features).shape == volume.shape


@pytest.mark.parametrize("skips", [False, True])
def test_a_scan_in_its_own_style_is_drawn_as_it_draws_itself_bit_by_bit(make_network, volume, skips):
    p, r = make_network(skips=skips)(volume, volume)
    assert torch.equal(p, r)


@pytest.mark.parametrize("skips", [False, True])
def test_another_target_changes_what_is_drawn(make_network, volume, skips):
    p, r = make_network(skips=skips)(volume, volume**2)
    assert not torch.allclose(p, r, atol=1e-3)


@pytest.mark.parametrize(("skips", "read"), [(False, [False, False, False, True]), (True, [True] * 4)])
def test_without_skips_the_style_of_the_deepest_stage_alone_decides(make_network, volume, skips, read):
    network = make_network(skips=skips)
    features = network.encoder(volume)
    own, style = network.statistics(features), network.statistics(network.encoder(volume**2))
    reconstruction = network.decode(features, own, own)
    for stage, is_read in enumerate(read):
        mixed = [style[n] if n == stage else own[n] for n in range(len(own))]
        assert torch.equal(network.decode(features, own, mixed), reconstruction) is not is_read


def survival(network, volume):
    """Mean square of the deepest features, as a share of that of the volume."""
    with torch.no_grad():
        return float(network.encoder(volume)[-1].square().mean() / volume.square().mean())


def test_features_do_not_vanish_with_depth_as_they_do_with_the_frameworks_initialization():
    torch.manual_seed(0)
    network = FeatureStyleNetwork(FeatureNetworkSettings((16, 16, 16, 16), (2, 2, 2, 2), skips=False))
    volume = torch.rand(1, 1, 32, 32, 32)
    assert survival(network, volume) > 0.1
    for layer in network.encoder.modules():
        if isinstance(layer, nn.Conv3d):
            layer.reset_parameters()
    assert survival(network, volume) < 0.01


def test_weights_of_the_deeper_levels_are_means_over_their_voxels():
    weight = torch.zeros(1, 1, 4, 4, 4)
    weight[..., :1] = 1
    first, second, third = stage_weights(weight, 3)
    assert torch.equal(first, weight)
    assert torch.equal(second[0, 0, 0, 0], torch.tensor([0.5, 0.0]))
    assert third.item() == 0.25


def test_the_papers_network_says_how_far_a_voxel_reaches():
    assert PAPER.stride == 8
    assert PAPER.reach == 48  # twice 1 + 2 + 4 + 8 of convolutions and 8 of pooling, in multiples of 8


@pytest.mark.parametrize(
    ("channels", "convs", "message"),
    [
        pytest.param((4, 8), (1,), "same 1 to 8 stages", id="stages differ"),
        pytest.param((), (), "same 1 to 8 stages", id="no stage"),
        pytest.param((4,) * 40, (1,) * 40, "same 1 to 8 stages", id="forty stages"),
        pytest.param((4, 0), (1, 1), "channels are", id="no channel"),
        pytest.param((4, 10**9), (1, 1), "channels are", id="a billion channels"),
        pytest.param((4, 8.5), (1, 1), "channels are", id="half a channel"),
        pytest.param((4, 8), (1, -1), "convs_per_stage are", id="negative"),
    ],
)
def test_networks_that_cannot_be_are_refused(channels, convs, message):
    with pytest.raises(InputError, match=message):
        FeatureNetworkSettings(channels, convs, skips=False)
