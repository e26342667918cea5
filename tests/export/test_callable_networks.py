import pytest
import torch
from torch import nn

from hail_mri.errors import InputError
from hail_mri.export.callable_networks import callable_network, load_callable_network
from hail_mri.preprocess.prepare import CEILING


@torch.inference_mode()
def test_tissue_maps_are_those_of_the_network(tissue_model):
    image = tissue_model.inputs()["image"]
    network = tissue_model.network
    torch.testing.assert_close(network(image), network.network.tissue_map(image.clamp(max=CEILING)), rtol=0, atol=0)
    torch.testing.assert_close(network(image).sum(dim=1), torch.ones(1, *image.shape[2:]))


@torch.inference_mode()
def test_prediction_and_reconstruction_are_those_of_the_network(style_model):
    inputs = style_model.inputs()
    seen = [inputs["image"].clamp(max=CEILING), inputs["target"].clamp(max=CEILING)]
    p, r = style_model.network.network(*seen, inputs["image_weight"], inputs["target_weight"])
    torch.testing.assert_close(style_model.network(**inputs), torch.cat((p, r), dim=1), rtol=0, atol=0)


@torch.inference_mode()
def test_a_target_that_is_the_source_gives_the_reconstruction(style_model):
    image = style_model.inputs()["image"]
    p, r = style_model.network(image, image).unbind(dim=1)
    assert torch.equal(p, r)


@torch.inference_mode()
def test_the_style_is_that_of_the_whole_volume_only_without_weights(style_model):
    inputs = style_model.inputs()
    image, target = inputs["image"], inputs["target"]
    whole = style_model.network(image, target)
    with_ones = style_model.network(image, target, torch.ones_like(image), torch.ones_like(target))
    torch.testing.assert_close(with_ones, whole, rtol=0, atol=1e-5)
    assert (style_model.network(**inputs) - whole).abs().max() > 1e-3


@torch.inference_mode()
def test_what_is_brighter_than_the_network_sees_is_cut_off(model):
    inputs = model.inputs()
    cut = {name: volume.clamp(max=CEILING) for name, volume in inputs.items()}
    assert inputs["image"].max() > CEILING
    assert torch.equal(model.network(**inputs), model.network(**cut))


@pytest.mark.parametrize("name", ["image", "target"])
def test_edges_that_cannot_be_halved_are_refused(style_model, name):
    inputs = style_model.inputs()
    inputs[name] = torch.zeros(1, 1, 4, 4, 5)
    with pytest.raises(InputError, match=f"{name} has 4 x 4 x 5 voxels, expected multiples of 2"):
        style_model.network(**inputs)


def test_another_kind_of_network_is_refused():
    with pytest.raises(InputError, match="a Linear is not exported"):
        callable_network(nn.Linear(1, 1))


def test_a_released_model_is_loaded_by_its_name():
    assert load_callable_network("compact").stride == 16
