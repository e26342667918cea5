import json
import pickle
import struct
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from hail_mri.errors import InputError, MissingFileError
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
from hail_mri.model.weights import (
    SLICES_PHASE,
    ModelCard,
    load_model,
    load_slice_gan,
    read_card,
    released_models,
    save_model,
    weights_hash,
    weights_path,
)


@pytest.fixture
def model(tmp_path, make_network):
    """Return network, card and path of a saved model."""
    network = make_network()
    card = ModelCard("small", "style", network.settings, 4.0, ("a", "b"), ("c",), "2024-01-01", 7, 0.25)
    return network, card, save_model(network, card, tmp_path / "small.safetensors")


def edit_card(path, **changes):
    card_path = path.with_suffix(".json")
    card_path.write_text(json.dumps(json.loads(card_path.read_text()) | changes))


def edit_weights(path, change):
    save_file({name: change(tensor) for name, tensor in load_file(path).items()}, path)


def test_a_model_comes_back_bit_by_bit_with_its_card(model, tmp_path):
    network, card, path = model
    loaded, loaded_card = load_model(path)
    assert loaded_card == card
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in loaded.state_dict().items())
    assert loaded.state_dict().keys() == network.state_dict().keys()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["small.json", "small.safetensors"]


def test_weights_may_be_read_by_whoever_may_read_their_card(model):
    assert model[2].stat().st_mode == model[2].with_suffix(".json").stat().st_mode


def test_a_loaded_model_is_ready_for_inference_and_draws_the_same(model, volume):
    network, _, path = model
    loaded, _ = load_model(path)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert torch.equal(loaded(volume, volume**2)[0], network(volume, volume**2)[0])


def test_a_loaded_model_can_learn_on(model, volume):
    loaded = load_model(model[2])[0].train().requires_grad_(True)
    loaded(volume, volume**2)[0].sum().backward()
    assert all(parameter.grad is not None for parameter in loaded.decoder.parameters())


def test_weights_in_half_precision_are_used_in_single_precision(model):
    edit_weights(model[2], torch.Tensor.half)
    assert {parameter.dtype for parameter in load_model(model[2])[0].parameters()} == {torch.float32}


def test_a_run_folder_stands_for_its_style_model(model, tmp_path):
    network, card, _ = model
    save_model(network, replace(card, name="run-style"), tmp_path / "style.safetensors")
    assert load_model(tmp_path)[1].name == "run-style"


def test_a_run_folder_without_a_style_model_stands_for_its_tissue_network(tmp_path):
    network = TissueNetwork(TissueNetworkSettings((4, 4), (1, 1)))
    facts = (network.settings, 2.0, ("a",), ("b",), "2026-11-26", 1, 0.5)
    save_model(network, ModelCard("run-tissues", "tissues", *facts), tmp_path / "tissues.safetensors")
    assert load_model(tmp_path)[1].name == "run-tissues"


def test_the_hash_is_that_of_the_weights_and_not_of_the_name(model, tmp_path):
    network, card, path = model
    copy_path = save_model(network, replace(card, name="copy"), tmp_path / "copy.safetensors")
    assert weights_hash(path) == weights_hash(copy_path)
    edit_weights(copy_path, lambda tensor: tensor + 1)
    assert weights_hash(path) != weights_hash(copy_path)


@pytest.mark.parametrize("name", released_models())
def test_released_models_load_and_fit_in_ten_megabytes(name):
    load = load_slice_gan if read_card(name).phase == SLICES_PHASE else load_model
    _, card = load(name)
    assert card.phase in {"style", "tissues", SLICES_PHASE}
    assert weights_path(name).stat().st_size < 10e6


NAMES = ["nothing", "", "../small", "../../etc/passwd", "weights/../compact", "a\0b", "x" * 5000, "*", "compact.json"]


@pytest.mark.parametrize("name", [pytest.param(name, id=f"{name[:20]!r}") for name in NAMES])
def test_names_that_are_no_model_are_missing_whatever_they_look_like(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFileError, match="no model"):
        load_model(name)


@pytest.mark.usefixtures("model")
def test_pickles_are_not_read_by_any_name(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path / "exploded").touch, ()

    for name in ("weights.pt", "weights.pkl", "weights.ckpt", "small.safetensors"):
        (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(InputError, match=r"is not a \.safetensors file|holds no safetensors weights"):
            load_model(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda content: content[:-100], id="cut short"),
        pytest.param(lambda content: content[:4], id="header cut short"),
        pytest.param(lambda content: struct.pack("<Q", 2**62) + content[8:], id="endless header"),
        pytest.param(lambda content: content[:20] + b"\xff" * 40 + content[60:], id="header overwritten"),
    ],
)
def test_damaged_weights_are_refused(model, damage):
    path = model[2]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="holds no safetensors weights"):
        load_model(path)


def test_weights_that_are_not_numbers_are_refused(model):
    edit_weights(model[2], lambda tensor: tensor / 0)
    with pytest.raises(InputError, match="not finite"):
        load_model(model[2])


def test_weights_without_their_card_are_refused(model):
    model[2].with_suffix(".json").unlink()
    with pytest.raises(MissingFileError, match="no model card"):
        load_model(model[2])


NETWORK = {"channels": [4, 8, 8, 8], "convs_per_stage": [1, 1, 1, 1], "skips": True}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"network": NETWORK | {"channels": [4, 8, 8, 16]}}, "does not fit", id="other width"),
        pytest.param({"network": NETWORK | {"convs_per_stage": [2, 1, 1, 1]}}, "does not fit", id="other depth"),
        pytest.param({"network": NETWORK | {"channels": [4096] * 4}}, "does not fit", id="a network of gigabytes"),
        pytest.param({"network": NETWORK | {"channels": [10**9] * 4}}, "is not a model card", id="larger still"),
        pytest.param({"network": NETWORK | {"channels": [4, 8]}}, "is not a model card", id="levels differ"),
        pytest.param({"network": None}, "is not a model card", id="no network"),
        pytest.param({"spacing_mm": 1e-3}, "is not a model card: spacing_mm", id="a grid of terabytes"),
        pytest.param({"spacing_mm": float("nan")}, "is not a model card: spacing_mm", id="no spacing"),
        pytest.param({"colour": "red"}, "is not a model card", id="unknown entry"),
    ],
)
def test_cards_of_another_network_are_refused(model, changes, message):
    edit_card(model[2], **changes)
    with pytest.raises(InputError, match=message):
        load_model(model[2])


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", "[" * 100_000, "\udcff"], ids=lambda c: repr(c[:9]))
def test_files_that_are_no_card_are_refused(model, content):
    model[2].with_suffix(".json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="is not a model card"):
        load_model(model[2])
