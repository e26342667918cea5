"""The tissue network's training, from label maps to weights that load."""

import csv

import pytest
import torch

from hail_mri.errors import InputError, MissingFileError, OutputExistsError
from hail_mri.model.tissue_classes import BACKGROUND, TISSUE_CLASSES
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
from hail_mri.model.weights import load_model
from hail_mri.training.anatomy_split import split_anatomies
from hail_mri.training.scans import RandomSiteScans
from hail_mri.training.tissue_phase import learning_rate_factor, tissue_loss
from hail_mri.training.tissue_run import train_tissues

SETTINGS = """
[network]
channels = [8, 8]
blocks = [1, 1]
[data]
spacing_mm = 8.0
shape = [24, 32, 32]
n_heads = 2
n_validation_heads = 2
n_validation_scans = 2
patch = 16
n_workers = 0
seed = 1
[tissues]
n_steps = 4
steps_per_epoch = 2
scans_per_step = 1
learning_rate = 3e-3
precision = "32-true"
ema_decay = 0.0
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture
def run(config, label_maps_dir, tmp_path):
    """A finished run: its weights."""
    return train_tissues(config, tmp_path / "run", anatomies_dir=label_maps_dir, say=lambda _: None)


def test_a_run_ends_with_weights_that_load_and_a_card_that_says_what_they_are(run, label_maps_dir):
    network, card = load_model(run)
    assert isinstance(network, TissueNetwork)
    assert card.phase == "tissues"
    assert card.n_steps == 4
    assert card.training_data == ("head_0.nii.gz",)
    assert card.validation_data == tuple(path.name for path in split_anatomies(label_maps_dir).validation)
    assert card.precision.startswith("32-true")


def test_a_run_keeps_its_curve(run):
    (path,) = run.parent.glob("tissues/log/*/metrics.csv")
    losses = [row["validation_loss"] for row in csv.DictReader(path.open()) if row["validation_loss"]]
    assert len(losses) == 2


def test_the_same_settings_give_the_same_weights(run, config, label_maps_dir, tmp_path):
    again = train_tissues(config, tmp_path / "again", anatomies_dir=label_maps_dir, say=lambda _: None)
    one, other = load_model(run)[0].state_dict(), load_model(again)[0].state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_weights_that_did_not_get_better_are_not_written(run, config, label_maps_dir, tmp_path):
    lines = []
    harmful = tmp_path / "harmful.toml"
    harmful.write_text(config.read_text().replace("3e-3", "1e3"))
    written = train_tissues(
        harmful, tmp_path / "worse", anatomies_dir=label_maps_dir, init=run, minutes=5, say=lines.append
    )
    assert written is None
    assert not (tmp_path / "worse" / "tissues.safetensors").exists()
    assert "no weights are written" in lines[-1]


def test_a_run_goes_on_from_weights_and_counts_their_steps(run, config, label_maps_dir, tmp_path):
    lines = []
    written = train_tissues(config, tmp_path / "on", anatomies_dir=label_maps_dir, init=run, say=lines.append)
    if written is not None:  # validation may not have got better in four steps
        assert load_model(written)[1].n_steps == 8
    assert any("validation loss of the weights to start from: " in line for line in lines)


def test_an_ended_run_can_be_resumed_to_its_end_but_not_begun_again(run, config, label_maps_dir):
    with pytest.raises(OutputExistsError, match="holds a run"):
        train_tissues(config, run.parent, anatomies_dir=label_maps_dir, say=lambda _: None)


def test_there_is_nothing_to_resume_without_a_checkpoint(config, label_maps_dir, tmp_path):
    with pytest.raises(MissingFileError, match="no checkpoint"):
        train_tissues(config, tmp_path / "new", anatomies_dir=label_maps_dir, resume=True, say=lambda _: None)


def test_a_run_is_not_resumed_with_other_settings(run, config, label_maps_dir):
    config.write_text(SETTINGS.replace("3e-3", "1e-3"))
    with pytest.raises(InputError, match="other settings"):
        train_tissues(config, run.parent, anatomies_dir=label_maps_dir, resume=True, say=lambda _: None)


def test_a_run_stops_when_its_minutes_are_over(config, label_maps_dir, tmp_path):
    config.write_text(SETTINGS.replace("n_steps = 4", "n_steps = 100000"))
    path = train_tissues(config, tmp_path / "run", anatomies_dir=label_maps_dir, minutes=0.02, say=lambda _: None)
    assert path is not None
    assert 0 < load_model(path)[1].n_steps < 1000


def test_too_few_label_maps_are_refused(config, anatomies_dir, tmp_path):
    with pytest.raises(InputError, match="expected at least 5"):
        train_tissues(config, tmp_path / "run", anatomies_dir=anatomies_dir, say=lambda _: None)


def test_sixty_steps_on_one_scan_cut_the_loss(head_paths):
    volume, counts = RandomSiteScans(head_paths, seed=5, first=0, n_items=1, patch=16)[0]
    torch.manual_seed(0)
    network, weights = TissueNetwork(TissueNetworkSettings((16, 16), (1, 1))), torch.ones(len(TISSUE_CLASSES))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        loss = tissue_loss(network(volume[None]), counts[None], weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_the_loss_of_a_certain_and_right_map_is_zero():
    counts = torch.zeros(1, 4, 4, 4, len(TISSUE_CLASSES), dtype=torch.uint8)
    counts[..., BACKGROUND] = 8
    logits = torch.zeros(1, 2, 2, 2, 8, len(TISSUE_CLASSES))
    logits[..., BACKGROUND] = 50.0
    assert tissue_loss(logits, counts, torch.ones(len(TISSUE_CLASSES))) == pytest.approx(0.0, abs=1e-6)


def test_the_learning_rate_warms_up_and_falls():
    assert learning_rate_factor(0, 0.0) == pytest.approx(0.01)
    assert learning_rate_factor(500, 0.0) == pytest.approx(1.0)
    assert learning_rate_factor(500, 1.0) == pytest.approx(0.02)
