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


def test_weights_that_do_not_know_them_can_be_taught_the_same(weights, many_label_maps_dir, tmp_path, capsys):
    taught = tmp_path / "old.safetensors"
    tensors = {name: t for name, t in load_file(weights).items() if not name.startswith(PREFIX)}
    save_file(tensors, taught)
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
    return measure_known_styles(network, scans, spacing=8.0, device="cpu", say=lines.append)


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
