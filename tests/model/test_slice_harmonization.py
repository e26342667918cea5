"""Brains in another style, with networks whose weights are random, or that do what a test wants."""

import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.model.slice_gan import SliceGan, SliceGanSettings, pad_slices
from hail_mri.model.slice_harmonization import harmonize_slices, mean_style
from hail_mri.model.weights import SLICES_PHASE, ModelCard, load_feature_network, load_model, load_slice_gan, save_model

SETTINGS = SliceGanSettings(size=32, width=4, widest=8, n_style=6, n_latent=3, n_hidden=8)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return SliceGan(SETTINGS).eval().requires_grad_(False)


def brain(seed, shape=(20, 24, 18)):
    """Noise in a box that is not in the middle, air around it."""
    volume = torch.zeros(shape)
    inside = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) + 0.1
    volume[3:-6, 2:-4, 4:-1] = inside[3:-6, 2:-4, 4:-1]
    return volume


def test_each_axial_slice_of_the_result_is_what_the_generator_makes_of_that_slice(network):
    source, target = brain(1), brain(2, (24, 30, 9))
    found = harmonize_slices(network, source, target)
    style = mean_style(network, target)
    assert found.shape == source.shape
    for k in (5, 12):
        alone = network.generator(pad_slices(source[None, None, :, :, k], 32), style)[0, 0]
        expected = alone[6:26, 4:28] * (source[:, :, k] != 0)
        torch.testing.assert_close(found[:, :, k], expected, atol=1e-5, rtol=1e-4)


def test_a_generator_that_changes_nothing_gives_the_source_back(network, monkeypatch):
    monkeypatch.setattr(network.generator, "forward", lambda slices, _style: slices)
    source = brain(1)
    assert torch.equal(harmonize_slices(network, source, brain(2)), source)


def test_air_stays_air_and_inputs_are_not_changed(network):
    source, target = brain(1), brain(2)
    kept = source.clone(), target.clone()
    found = harmonize_slices(network, source, target)
    assert not found[source == 0].any()
    assert torch.equal(source, kept[0])
    assert torch.equal(target, kept[1])


def test_the_style_is_the_mean_over_slices_that_show_enough_brain(network):
    target = brain(2)
    target[:, :, 4] = 0
    target[5, 5, 4] = 1.0  # a slice with next to no brain
    slices = pad_slices(target[:, :, 5:-1].movedim(2, 0)[:, None], 32)
    expected = network.style_encoder(slices).mean(dim=0, keepdim=True)
    torch.testing.assert_close(mean_style(network, target), expected, atol=1e-5, rtol=1e-4)


def test_the_order_of_the_targets_slices_does_not_matter(network):
    target = brain(2)
    torch.testing.assert_close(mean_style(network, target), mean_style(network, target.flip(2)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        pytest.param(brain(1), torch.zeros(8, 8, 8), "the target holds no brain", id="empty target"),
        pytest.param(torch.zeros(8, 8, 8), brain(1), "the source holds no brain", id="empty source"),
        pytest.param(torch.ones(33, 8, 8), brain(1), "33 x 8 pixels", id="too large"),
    ],
)
def test_brains_that_cannot_be_harmonized_are_refused(network, source, target, message):
    with pytest.raises(InputError, match=message):
        harmonize_slices(network, source, target)


@pytest.fixture
def weights(network, tmp_path):
    card = ModelCard("one", SLICES_PHASE, SETTINGS, 2.0, ("a",), ("b",), "2024-01-01", 7, 0.5)
    return save_model(network, card, tmp_path / "liu.safetensors"), card


def test_weights_and_card_come_back_as_they_were_written(network, weights):
    found, card = load_slice_gan(weights[0])
    assert not found.training
    assert card == weights[1]
    assert all(torch.equal(v, network.state_dict()[name]) for name, v in found.state_dict().items())


@pytest.mark.parametrize("load", [load_model, load_feature_network])
def test_what_takes_networks_of_another_kind_says_so(weights, load):
    with pytest.raises(InputError, match=r"holds the networks of Liu et al\."):
        load(weights[0])


def test_a_network_of_another_kind_is_none_of_liu_et_al():
    with pytest.raises(InputError, match="compact holds a TissueNetwork, expected the networks of Liu et al"):
        load_slice_gan("compact")
