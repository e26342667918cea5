from dataclasses import dataclass

import pytest
import torch

from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.tiles import EncodedVolume, decode, encode

WHOLE = 64  # as large as the largest edge


@dataclass(frozen=True)
class NearsightedSettings(FeatureNetworkSettings):
    """Settings that take the reach of a network for smaller than it is."""

    @property
    def reach(self) -> int:
        return 8


@pytest.fixture
def volume():
    """(1, 1, 24, 32, 64) noise on a [0, 1] scale."""
    return torch.rand(1, 1, 24, 32, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def weight(volume):
    inside = torch.zeros_like(volume)
    inside[:, :, 3:20, 5:30, 10:50] = 1
    return inside


def sharpest(network):
    """Make every weight positive, so that nothing cancels on the way and the whole reach counts."""
    for parameter in network.parameters():
        parameter.abs_()
    return network


@pytest.mark.parametrize("tile", [16, 32])
@pytest.mark.parametrize("convs_per_stage", [(1, 1, 1, 1), (2, 2, 2, 2)], ids=["one conv", "two convs"])
@pytest.mark.parametrize("skips", [False, True], ids=["as the paper", "skips"])
class TestTileSizeChangesNothing:
    def test_in_the_style(self, make_network, volume, weight, tile, convs_per_stage, skips):
        network = make_network(convs_per_stage=convs_per_stage, skips=skips)
        tiled, whole = (encode(network, volume, weight, tile=edge) for edge in (tile, WHOLE))
        torch.testing.assert_close(tiled.statistics, whole.statistics, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(tiled.features, whole.features, rtol=1e-5, atol=1e-5)

    def test_in_the_prediction(self, make_network, volume, weight, tile, convs_per_stage, skips):
        network = make_network(convs_per_stage=convs_per_stage, skips=skips)
        encoded = encode(network, volume, weight, tile=WHOLE)
        style = encode(network, volume**2, weight, tile=WHOLE).statistics
        whole, tiled = (decode(network, encoded, style, tile=edge) for edge in (WHOLE, tile))
        torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-5 * float(whole.max() - whole.min()))


def test_a_halo_narrower_than_the_reach_would_be_noticed(volume):
    torch.manual_seed(0)
    network = FeatureStyleNetwork(NearsightedSettings((4, 8, 8, 8), (1, 1, 1, 1), skips=True)).requires_grad_(False)
    encoded = encode(network, volume, torch.ones_like(volume), tile=WHOLE)
    whole, tiled = (decode(network, encoded, encoded.statistics, tile=edge) for edge in (WHOLE, 16))
    assert (tiled - whole).abs().max() > 1e-3 * (whole.max() - whole.min())


def encoded_as(network, volume, statistics):
    """Encode, with statistics that are not the volume's own."""
    return EncodedVolume(encode(network, volume, torch.ones_like(volume)).features, tuple(statistics))


def test_no_voxel_beyond_the_reach_changes_the_prediction(make_network):
    network = sharpest(make_network(channels=(2, 2, 2), convs_per_stage=(2, 1, 1)))
    reach = network.settings.reach
    volume = torch.zeros(1, 1, 8, 8, 2 * reach + 24)
    changed = volume.clone()
    changed[..., :8] = 1
    own = network.statistics(network.encoder(volume + torch.linspace(0, 1, volume.shape[-1])))
    whole, other = (decode(network, encoded_as(network, v, own), own) for v in (volume, changed))
    difference = (other - whole).abs().amax(dim=(0, 1, 2, 3))
    assert difference[8 + reach :].max() == 0
    assert difference[8 : 8 + reach // 2].max() > 0


def test_statistics_are_those_of_the_network_in_one_pass(make_network, volume, weight):
    network = make_network()
    expected = network.statistics(network.encoder(volume), weight)
    found = encode(network, volume, weight, tile=16).statistics
    torch.testing.assert_close(list(found), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("skips", [False, True], ids=["as the paper", "skips"])
def test_prediction_and_reconstruction_are_those_of_the_network_in_one_pass(make_network, volume, weight, skips):
    network = make_network(skips=skips)
    p, r = network(volume, volume**2, weight, weight)
    encoded, target = (encode(network, v, weight, tile=16) for v in (volume, volume**2))
    for found, expected in ((target.statistics, p), (encoded.statistics, r)):
        difference = decode(network, encoded, found, tile=16) - expected
        assert difference.abs().max() < 1e-4 * (expected.max() - expected.min())


def test_only_what_the_decoder_reads_is_kept(make_network, volume, weight):
    network = make_network(skips=False)
    assert [tuple(f.shape) for f in encode(network, volume, weight).features] == [(1, 8, 3, 4, 8)]
