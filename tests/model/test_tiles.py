from dataclasses import dataclass

import pytest
import torch

from hail_mri.model.networks import HailNetwork, NetworkSettings
from hail_mri.model.tiles import draw, whole_statistics

WHOLE = 64  # as large as the largest edge


@dataclass(frozen=True)
class NearsightedSettings(NetworkSettings):
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
@pytest.mark.parametrize("convs_per_level", [(1, 1, 1, 1), (2, 2, 2, 2)], ids=["one conv", "two convs"])
@pytest.mark.parametrize("skips", [False, True], ids=["as the paper", "skips"])
class TestTileSizeChangesNothing:
    def test_in_the_style(self, make_network, volume, weight, tile, convs_per_level, skips):
        network = make_network(convs_per_level=convs_per_level, skips=skips)
        tiled, whole = (whole_statistics(network, volume, weight, tile=edge) for edge in (tile, WHOLE))
        torch.testing.assert_close(tiled, whole, rtol=1e-5, atol=1e-5)

    def test_in_what_is_drawn(self, make_network, volume, weight, tile, convs_per_level, skips):
        network = make_network(convs_per_level=convs_per_level, skips=skips)
        own = whole_statistics(network, volume, weight, tile=WHOLE)
        style = whole_statistics(network, volume**2, weight, tile=WHOLE)
        whole = draw(network, volume, own, style, tile=WHOLE)
        tiled = draw(network, volume, own, style, tile=tile)
        torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-5 * float(whole.max() - whole.min()))


def test_a_halo_narrower_than_the_reach_would_be_noticed(volume):
    torch.manual_seed(0)
    network = HailNetwork(NearsightedSettings((4, 8, 8, 8), (1, 1, 1, 1), skips=True)).requires_grad_(False)
    own = whole_statistics(network, volume, torch.ones_like(volume), tile=WHOLE)
    whole, tiled = (draw(network, volume, own, own, tile=edge) for edge in (WHOLE, 16))
    assert (tiled - whole).abs().max() > 1e-3 * (whole.max() - whole.min())


def test_no_voxel_beyond_the_reach_changes_what_is_drawn(make_network):
    network = sharpest(make_network(channels=(2, 2, 2), convs_per_level=(2, 1, 1)))
    reach = network.settings.reach
    volume = torch.zeros(1, 1, 8, 8, 2 * reach + 24)
    changed = volume.clone()
    changed[..., :8] = 1
    own = network.statistics(network.encoder(volume + torch.linspace(0, 1, volume.shape[-1])))
    difference = (draw(network, changed, own, own) - draw(network, volume, own, own)).abs().amax(dim=(0, 1, 2, 3))
    assert difference[8 + reach :].max() == 0
    assert difference[8 : 8 + reach // 2].max() > 0


def test_whole_statistics_are_those_of_the_network_in_one_pass(make_network, volume, weight):
    network = make_network()
    expected = network.statistics(network.encoder(volume), weight)
    torch.testing.assert_close(whole_statistics(network, volume, weight, tile=16), expected, rtol=1e-4, atol=1e-5)


def test_whole_drawings_are_those_of_the_network_in_one_pass(make_network, volume, weight):
    network = make_network()
    own = network.statistics(network.encoder(volume), weight)
    style = network.statistics(network.encoder(volume**2), weight)
    p, r = network(volume, volume**2, weight, weight)
    torch.testing.assert_close(draw(network, volume, own, style, tile=WHOLE), p)
    torch.testing.assert_close(draw(network, volume, own, own, tile=WHOLE), r)
