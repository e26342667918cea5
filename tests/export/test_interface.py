import json
from dataclasses import replace

import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.export.interface import read_model
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.model.weights import load_model, save_model, weights_hash


def test_what_has_to_be_done_before_names_this_models_own_grid(model):
    told = " ".join(read_model(model.path).interface.before)
    assert f"prepare(scan, spacing=8, stride={model.network.stride})" in told
    assert "white matter is 0.6" in told


def test_where_the_style_is_measured_is_said_of_networks_with_a_style_alone(tissue_model, style_model):
    told = {
        model.card.phase: " ".join(read_model(model.path).interface.before) for model in (tissue_model, style_model)
    }
    assert "air included" in told["style"]
    assert "style" not in told["tissues"]


def test_inputs_are_named_in_the_order_of_the_call(model):
    assert list(read_model(model.path).interface.inputs) == list(model.inputs())


def test_channels_of_tissue_maps_are_the_tissue_classes(tissue_model):
    assert read_model(tissue_model.path).interface.channels == TISSUE_CLASSES


def test_weights_and_card_are_kept_to_the_byte(model):
    exported = read_model(model.path)
    assert exported.sha256 == weights_hash(model.path)
    assert json.loads(exported.card_text)["name"] == model.card.name


def test_what_is_told_of_a_model_is_ready_for_json(model):
    told = json.loads(json.dumps(read_model(model.path).describe()))
    assert told["model_card"]["caution"] == "Random weights."
    assert told["edges_multiple_of"] == model.network.stride


def test_a_network_that_only_reconstructs_is_not_said_to_harmonize(style_model, tmp_path):
    network, card = load_model(style_model.path)
    path = save_model(network, replace(card, phase="encoder"), tmp_path / "encoder.safetensors")
    assert "reconstruction" in read_model(path).interface.task


def test_a_model_that_is_not_there_is_said_so():
    with pytest.raises(MissingFileError, match="no model 'gone'"):
        read_model("gone")


def test_a_pickle_is_not_read(tmp_path):
    (tmp_path / "model.pt").touch()
    with pytest.raises(InputError, match=r"model\.pt is not a \.safetensors file"):
        read_model(tmp_path / "model.pt")
