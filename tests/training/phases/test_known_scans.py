"""That training ends with weights that know the styles of their training scans."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hail_mri.apps.known_styles import main
from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.known_styles import PREFIX
from hail_mri.model.known_styles_file import load_known_styles
from hail_mri.model.weights import load_model
from hail_mri.preprocess.prepare import prepare
from hail_mri.training.data.whole_scans import WholeScan
from hail_mri.training.phases import known_scans
from hail_mri.training.phases.known_scans import measure_known_styles
from hail_mri.training.phases.paper_run import train
from hail_mri.training.phases.paper_source import PairFiles

SMOKE = Path(__file__).parents[3] / "configs" / "smoke.toml"


@pytest.fixture(scope="module")
def weights(many_label_maps_dir, tmp_path_factory):
    """Weights of phase 1."""
    return train("encoder", SMOKE, tmp_path_factory.mktemp("run"), files=PairFiles(many_label_maps_dir))


def test_trained_weights_know_the_styles_of_whole_heads(weights):
    known = load_known_styles(weights)
    assert known.n_scans.tolist() == [8]  # each of four heads twice
    assert len(known.mean) == 2 * (4 + 8 + 8 + 8)


@pytest.fixture
def fail_at_third(monkeypatch):
    """Return a function that lets the third scan fail while styles are measured."""

    def fail_with(error):
        n_prepared = iter(range(1, 100))

        def prepare_or_fail(*scan, **grid):
            if next(n_prepared) == 3:
                raise error
            return prepare(*scan, **grid)

        monkeypatch.setattr(known_scans, "prepare", prepare_or_fail)

    return fail_with


def own_tensors(path):
    return {name: tensor for name, tensor in load_file(path).items() if not name.startswith(PREFIX)}


def test_measuring_that_fails_takes_nothing_from_a_training_that_is_done(
    weights, many_label_maps_dir, tmp_path, fail_at_third
):
    fail_at_third(torch.OutOfMemoryError("no memory\nfor a scan"))
    lines = []
    path = train("encoder", SMOKE, tmp_path, files=PairFiles(many_label_maps_dir), say=lines.append)
    network, found, expected = load_model(path)[0], own_tensors(path), own_tensors(weights)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in network.state_dict().items())
    assert load_file(path).keys() == found.keys() == expected.keys()
    assert [line for line in lines if "no memory for a scan" in line] != []
    assert (tmp_path / "encoder" / "finished.json").is_file()


def test_a_run_that_is_ended_while_it_measures_has_weights_and_ends_as_others_when_resumed(
    weights, many_label_maps_dir, tmp_path, fail_at_third
):
    fail_at_third(SystemExit(143))
    files = PairFiles(many_label_maps_dir)
    with pytest.raises(SystemExit):
        train("encoder", SMOKE, tmp_path, files=files)
    path = tmp_path / "encoder.safetensors"
    assert load_model(path)[1].n_steps == load_model(weights)[1].n_steps
    assert load_known_styles(path) is None
    train("encoder", SMOKE, tmp_path, files=files, resume=True)
    assert path.read_bytes() == weights.read_bytes()


def test_weights_that_do_not_know_them_can_be_taught_the_same(weights, many_label_maps_dir, tmp_path, capsys):
    taught = tmp_path / "old.safetensors"
    save_file(own_tensors(weights), taught)
    taught.with_suffix(".json").write_text(weights.with_suffix(".json").read_text(encoding="utf-8"), encoding="utf-8")
    arguments = [taught, "--config", SMOKE, "--label-maps", many_label_maps_dir, "-o", tmp_path / "work"]
    assert main([str(argument) for argument in arguments]) == 0
    found, expected = load_file(taught), load_file(weights)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert "8 scans: written to" in capsys.readouterr().err


def test_settings_of_another_network_teach_nothing(weights, many_label_maps_dir, tmp_path, capsys):
    other = SMOKE.with_name("hail-small.toml")
    arguments = [weights, "--config", other, "--label-maps", many_label_maps_dir, "-o", tmp_path / "work"]
    assert main([str(argument) for argument in arguments]) == 2
    assert "settings of another network" in capsys.readouterr().err


@pytest.fixture
def network():
    torch.manual_seed(0)
    return FeatureStyleNetwork(FeatureNetworkSettings((4, 8), (1, 1), skips=True)).eval()


def measure(network, scans, lines):
    return measure_known_styles(network, scans, spacing=8.0, say=lines.append)


def heads_of(make_head, n):
    rng = np.random.default_rng(0)
    return [WholeScan(make_head(rotation=rng.uniform(-8, 8, 3)), f"head {number}") for number in range(n)]


def test_a_scan_that_cannot_be_prepared_has_no_part(network, make_head):
    scans, lines = heads_of(make_head, 9), []
    empty = scans[0].volume.with_data(np.zeros(scans[0].volume.shape, np.float32))
    known = measure(network, [WholeScan(empty, "nobody"), *scans], lines)
    assert known.n_scans.tolist() == [9]
    assert "a scan of nobody has no part" in lines[0]


def test_too_few_scans_are_told_and_no_error(network, make_head):
    lines = []
    assert measure(network, heads_of(make_head, 3), lines) is None
    assert "3 scans of 3 anatomies tell too little" in lines[0]


def test_no_more_scans_are_taken_when_the_time_is_over(network, make_head, monkeypatch):
    monkeypatch.setattr(known_scans, "LONGEST", 0.0)
    lines = []
    assert measure(network, heads_of(make_head, 12), lines).n_scans.tolist() == [8]
    assert "no more scans after 8" in lines[0]
