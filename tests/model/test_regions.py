import numpy as np
import pytest
import torch

from hail_mri.model.adain import Statistics
from hail_mri.model.networks import HailNetwork, NetworkSettings
from hail_mri.model.regions import draw_regions, region_statistics, region_sums
from hail_mri.model.tiles import draw, whole_statistics

REGIONS_NETWORK = NetworkSettings(channels=(4, 8, 8), convs_per_level=(1, 2, 1), skips=True, n_regions=5)


@pytest.fixture
def regions():
    torch.manual_seed(0)
    return torch.softmax(3 * torch.randn(2, 5, 8, 8, 8), dim=1)


def test_levels_of_a_mixture_are_those_it_was_mixed_of(regions):
    levels = torch.tensor([[0.1, 0.3, 0.5, 0.7, 0.9], [0.9, 0.2, 0.4, 0.6, 0.1]])
    volume = torch.einsum("bkxyz,bk->bxyz", regions, levels)[:, None]
    style = region_statistics(*region_sums(regions, volume, torch.ones_like(volume)))
    np.testing.assert_allclose(style.mean, levels, atol=0.02)  # the ridge pulls a little


def test_levels_are_those_of_an_ordinary_least_squares_fit(regions):
    volume = torch.rand(2, 1, 8, 8, 8)
    style = region_statistics(*region_sums(regions, volume, torch.ones_like(volume)))
    design, wanted = regions[0].flatten(1).T.numpy(), volume[0].flatten().numpy()
    expected, *_ = np.linalg.lstsq(design, wanted, rcond=None)
    np.testing.assert_allclose(style.mean[0], expected, atol=0.01)


def test_shares_add_up_to_one(regions):
    volume = torch.rand(2, 1, 8, 8, 8)
    style = region_statistics(*region_sums(regions, volume, torch.ones_like(volume)))
    np.testing.assert_allclose(style.std.sum(dim=1), 1, atol=1e-5)


def test_a_region_the_style_does_not_have_keeps_its_level(regions):
    own = Statistics(torch.full((2, 5), 0.4), torch.full((2, 5), 0.2))
    style = Statistics(torch.full((2, 5), 0.9), torch.full((2, 5), 1e-6))
    np.testing.assert_allclose(draw_regions(regions, own, style), 0.4, atol=1e-3)


def test_the_same_style_draws_the_same_bits():
    torch.manual_seed(0)
    network, volume = HailNetwork(REGIONS_NETWORK).eval(), torch.rand(1, 1, 16, 16, 16)
    p, r = network(volume, volume)
    assert torch.equal(p, r)


def test_the_size_of_tiles_does_not_change_regions_levels_or_drawing():
    torch.manual_seed(0)
    network, volume = HailNetwork(REGIONS_NETWORK).eval().requires_grad_(False), torch.rand(1, 1, 24, 32, 40)
    weight = (torch.rand(1, 1, 24, 32, 40) > 0.3).float()
    whole, tiled = (whole_statistics(network, volume, weight, tile=tile) for tile in (64, 8))
    np.testing.assert_allclose(tiled[0].mean, whole[0].mean, atol=1e-4)
    drawn = [draw(network, volume, whole, whole, tile=tile) for tile in (64, 8)]
    np.testing.assert_allclose(drawn[1], drawn[0], atol=1e-5)
