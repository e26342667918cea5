import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings, fold, fold_classes, unfold
from hail_mri.model.weights import ModelCard, load_model, save_model

SETTINGS = TissueNetworkSettings((8, 8, 8), (1, 1, 1))


@pytest.fixture
def network():
    """A network whose blocks are not the identity any more."""
    generator = torch.Generator().manual_seed(0)
    network = TissueNetwork(SETTINGS).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape, generator=generator)
    return network


def test_a_map_adds_up_to_one_in_every_voxel(network):
    tissue_map = network.tissue_map(torch.rand(1, 1, 16, 24, 8))
    assert tissue_map.shape == (1, len(TISSUE_CLASSES), 16, 24, 8)
    assert tissue_map.min() >= 0
    torch.testing.assert_close(tissue_map.sum(dim=1), torch.ones(1, 16, 24, 8))


def test_unfolding_undoes_folding():
    tissue_map = torch.rand(2, 4, 6, 8, 5)  # (B, I, J, K, C)
    torch.testing.assert_close(unfold(fold_classes(tissue_map)), tissue_map.movedim(-1, 1))


def test_volumes_and_classes_are_folded_alike():
    volume = torch.rand(1, 1, 4, 6, 8)
    folded = fold_classes(volume.movedim(1, -1))  # (B, i, j, k, 8, 1)
    torch.testing.assert_close(folded[..., 0].movedim(-1, 1), fold(volume))


def test_a_voxel_farther_away_than_the_reach_changes_nothing(network):
    edge = SETTINGS.reach + 8 - SETTINGS.reach % 8
    volume = torch.rand(1, 1, 8, 8, 2 * edge)
    changed = volume.clone()
    changed[..., edge:] = 0
    one, other = network.tissue_map(volume), network.tissue_map(changed)
    assert not torch.equal(one, other)
    torch.testing.assert_close(one[..., : edge - SETTINGS.reach], other[..., : edge - SETTINGS.reach])


def test_the_same_scan_gives_the_same_bits(network):
    volume = torch.rand(1, 1, 16, 16, 16)
    assert torch.equal(network.tissue_map(volume), network.tissue_map(volume))


@pytest.mark.parametrize(
    ("channels", "blocks"),
    [
        pytest.param((), (), id="no stage"),
        pytest.param((8, 8), (1,), id="unlike lengths"),
        pytest.param((8, 0), (1, 1), id="no channels"),
        pytest.param((8, 8), (1, 99), id="too many blocks"),
    ],
)
def test_what_is_no_network_is_refused(channels, blocks):
    with pytest.raises(InputError):
        TissueNetworkSettings(channels, blocks)


def test_weights_and_card_come_back_from_disk(network, tmp_path):
    card = ModelCard("t", "tissues", SETTINGS, 2.0, ("a",), ("b",), "2026-01-01", 3, 0.5, precision="32-true: so")
    save_model(network, card, tmp_path / "t.safetensors")
    loaded, loaded_card = load_model(tmp_path / "t.safetensors")
    assert loaded_card == card
    volume = torch.rand(1, 1, 16, 16, 16)
    assert torch.equal(loaded.tissue_map(volume), network.tissue_map(volume))
