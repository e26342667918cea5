import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hail_mri.errors import InputError
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.known_styles import PREFIX
from hail_mri.model.known_styles_file import add_known_styles, load_known_styles
from hail_mri.model.known_styles_fit import learn_known_styles
from hail_mri.model.weights import (
    ModelCard,
    load_model,
    read_card,
    released_models,
    save_model,
    weights_hash,
    weights_path,
)

OF_THE_PAPERS_KIND = [name for name in released_models() if read_card(name).phase == "style"]


@pytest.fixture
def path(make_network, tmp_path):
    """Weights in half precision that know nothing of styles, as those of earlier versions."""
    network = make_network()
    card = ModelCard("small", "style", network.settings, 8.0, (), (), "2024-01-01", 0, 1.0)
    return save_model(network.half(), card, tmp_path / "small.safetensors")


@pytest.fixture
def styles(path):
    """Twelve styles of six anatomies."""
    channels = load_model(path)[0].settings.channels
    rng = np.random.default_rng(0)
    numbers = ([tuple(rng.uniform(1, 2, n).tolist()) for n in channels] for _ in range(24))
    return [FeatureStyle(tuple(means), tuple(stds)) for means, stds in zip(numbers, numbers, strict=True)]


@pytest.fixture
def known(styles):
    return learn_known_styles(styles, np.arange(12) % 6)


def test_weights_that_know_nothing_of_styles_say_so(path):
    assert load_known_styles(path) is None


def test_the_weights_stay_as_they_are_bit_for_bit(path, known, styles):
    before, hash_before = load_file(path), weights_hash(path)
    add_known_styles(path, known)
    after = load_file(path)
    own = {name: tensor for name, tensor in after.items() if not name.startswith(PREFIX)}
    assert own.keys() == before.keys()
    assert all(own[name].dtype == tensor.dtype and torch.equal(own[name], tensor) for name, tensor in before.items())
    assert weights_hash(path) != hash_before
    assert load_known_styles(path).score(styles[0]) == known.score(styles[0])


def test_the_network_is_loaded_as_before(path, known):
    before = load_model(path)[0].state_dict()
    add_known_styles(path, known)
    after = load_model(path)[0].state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_what_was_known_before_is_replaced(path, known, styles):
    add_known_styles(path, known)
    fewer = learn_known_styles(styles[:10], np.arange(10) % 5)
    add_known_styles(path, fewer)
    assert load_known_styles(path).n_scans.tolist() == [10]


def test_a_damaged_part_is_refused(path, known):
    add_known_styles(path, known)
    tensors = load_file(path)
    del tensors[f"{PREFIX}rest"]
    save_file(tensors, path)
    with pytest.raises(InputError, match=r"small\.safetensors: .* a part of what is known"):
        load_known_styles(path)


def test_a_file_that_holds_no_weights_is_refused(path):
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="holds no safetensors weights"):
        load_known_styles(path)


@pytest.mark.parametrize("name", OF_THE_PAPERS_KIND)
def test_released_weights_know_their_styles_in_five_megabytes(name):
    known = load_known_styles(name)
    assert len(known.mean) == 2 * sum(load_model(name)[0].settings.channels)
    assert weights_path(name).stat().st_size < 5e6
