"""The tissue network's training, from label maps to weights that load."""

import csv
import shutil

import pytest
import torch

from hail_mri.errors import InputError, MissingFileError, OutputExistsError
from hail_mri.model.tissue_network import TissueNetwork
from hail_mri.model.weights import load_model
from hail_mri.report.example_picture import save_example
from hail_mri.training.data.label_map_split import split_label_maps
from hail_mri.training.data.simulated_samples import SimulatedSamples
from hail_mri.training.phases.tissue_run import train_tissues
from hail_mri.training.running import checkpoints

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


@pytest.fixture(scope="module")
def finished_dir(label_maps_dir, tmp_path_factory):
    """Folder of a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "settings.toml").write_text(SETTINGS)
    train_tissues(folder / "settings.toml", folder / "run", label_maps_dir=label_maps_dir, say=lambda _: None)
    return folder / "run"


@pytest.fixture
def run(finished_dir, tmp_path):
    """Its weights, for a test to change."""
    return shutil.copytree(finished_dir, tmp_path / "run") / "tissues.safetensors"


def test_a_run_ends_with_weights_that_load_and_a_card_that_says_what_they_are(run, label_maps_dir):
    network, card = load_model(run)
    assert isinstance(network, TissueNetwork)
    assert card.phase == "tissues"
    assert card.n_steps == 4
    assert card.training_data == ("head_0.nii.gz",)
    assert card.validation_data == tuple(path.name for path in split_label_maps(label_maps_dir).validation)
    assert card.precision.startswith("32-true")


def test_a_run_keeps_its_curve(run):
    (path,) = run.parent.glob("tissues/log/*/metrics.csv")
    losses = [row["validation_loss"] for row in csv.DictReader(path.open()) if row["validation_loss"]]
    assert len(losses) == 2


def test_the_same_settings_give_the_same_weights(run, config, label_maps_dir, tmp_path):
    again = train_tissues(config, tmp_path / "again", label_maps_dir=label_maps_dir, say=lambda _: None)
    one, other = load_model(run)[0].state_dict(), load_model(again)[0].state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_pictures_of_tissues_change_no_bit_of_a_run(run, config, label_maps_dir, tmp_path):
    path = train_tissues(
        config, tmp_path / "drawn", label_maps_dir=label_maps_dir, say=lambda _: None, draw=save_example
    )
    assert path.read_bytes() == run.read_bytes()
    assert (tmp_path / "drawn" / "tissues" / "pictures" / "step_0000002.png").is_file()


def test_weights_that_did_not_get_better_are_not_written(run, config, label_maps_dir, tmp_path):
    lines = []
    harmful = tmp_path / "harmful.toml"
    harmful.write_text(config.read_text().replace("3e-3", "1e3"))
    written = train_tissues(
        harmful, tmp_path / "worse", label_maps_dir=label_maps_dir, init=run, minutes=5, say=lines.append
    )
    assert written is None
    assert not (tmp_path / "worse" / "tissues.safetensors").exists()
    assert "no weights are written" in lines[-1]


def test_a_run_goes_on_from_weights_and_counts_their_steps(run, config, label_maps_dir, tmp_path):
    lines = []
    written = train_tissues(config, tmp_path / "on", label_maps_dir=label_maps_dir, init=run, say=lines.append)
    if written is not None:  # validation may not have got better in four steps
        assert load_model(written)[1].n_steps == 8
    assert any("validation loss of the weights to start from: " in line for line in lines)


@pytest.mark.parametrize("resume", [True, False])
def test_a_finished_run_says_that_it_is_finished_and_what_to_do(run, config, label_maps_dir, resume):
    with pytest.raises(
        OutputExistsError, match=r"finished \(tissues, 4 steps in .*; its weights are .*tissues"
    ) as caught:
        train_tissues(config, run.parent, label_maps_dir=label_maps_dir, resume=resume, say=lambda _: None)
    assert caught.value.hint.endswith(f"-o OTHER --init {run}")


def test_a_run_that_was_interrupted_is_not_begun_again_unasked(run, config, label_maps_dir):
    (run.parent / "tissues" / "finished.json").unlink()
    with pytest.raises(OutputExistsError, match="holds a run"):
        train_tissues(config, run.parent, label_maps_dir=label_maps_dir, say=lambda _: None)


def test_a_run_that_was_interrupted_before_its_weights_were_written_takes_no_more_steps(run, config, label_maps_dir):
    (run.parent / "tissues" / "finished.json").unlink()
    weights = run.read_bytes()
    run.unlink()
    path = train_tissues(config, run.parent, label_maps_dir=label_maps_dir, resume=True, say=lambda _: None)
    assert path.read_bytes() == weights
    assert load_model(path)[1].n_steps == 4


def test_a_run_goes_on_in_the_middle_of_an_epoch_and_ends_with_the_same_weights(
    run, config, label_maps_dir, tmp_path, monkeypatch
):
    shutil.copytree(run.parent / "heads", tmp_path / "cut" / "heads")
    draw = SimulatedSamples.__getitem__

    def draw_or_fail(scans, index):
        if scans.seed == 1 and scans.first + index == 3:
            raise RuntimeError("power cut")
        return draw(scans, index)

    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(SimulatedSamples, "__getitem__", draw_or_fail)
    with pytest.raises(RuntimeError, match="power cut"):
        train_tissues(config, tmp_path / "cut", label_maps_dir=label_maps_dir, say=lambda _: None)
    monkeypatch.undo()
    lines = []
    path = train_tissues(config, tmp_path / "cut", label_maps_dir=label_maps_dir, resume=True, say=lines.append)
    assert any("going on after step 3 of 4" in line for line in lines)
    assert path.read_bytes() == run.read_bytes()


def test_a_run_is_not_resumed_with_other_weights_to_begin_with(run, config, label_maps_dir):
    (run.parent / "tissues" / "finished.json").unlink()
    with pytest.raises(InputError, match="began with no weights"):
        train_tissues(config, run.parent, label_maps_dir=label_maps_dir, init=run, resume=True, say=lambda _: None)


def test_there_is_nothing_to_resume_without_a_checkpoint(config, label_maps_dir, tmp_path):
    with pytest.raises(MissingFileError, match="no checkpoint"):
        train_tissues(config, tmp_path / "new", label_maps_dir=label_maps_dir, resume=True, say=lambda _: None)


def test_a_run_is_not_resumed_with_other_settings(run, config, label_maps_dir):
    (run.parent / "tissues" / "finished.json").unlink()
    config.write_text(SETTINGS.replace("3e-3", "1e-3"))
    with pytest.raises(InputError, match=r"other settings than .*: tissues\.learning_rate$"):
        train_tissues(config, run.parent, label_maps_dir=label_maps_dir, resume=True, say=lambda _: None)


def test_a_run_is_not_resumed_with_other_label_maps(run, config, label_maps_dir, tmp_path):
    (run.parent / "tissues" / "finished.json").unlink()
    others = shutil.copytree(label_maps_dir, tmp_path / "others")
    shutil.copy(others / "head_4.nii.gz", others / "head_0.nii.gz")
    with pytest.raises(InputError, match=r"other label maps \(head_0\.nii\.gz\)"):
        train_tissues(config, run.parent, label_maps_dir=others, resume=True, say=lambda _: None)


def test_a_run_stops_when_its_minutes_are_over(run, config, label_maps_dir):
    out_dir = run.parent.with_name("timed")
    shutil.copytree(run.parent / "heads", out_dir / "heads")
    config.write_text(SETTINGS.replace("n_steps = 4", "n_steps = 100000"))
    path = train_tissues(config, out_dir, label_maps_dir=label_maps_dir, minutes=0.02, say=lambda _: None)
    assert 0 < load_model(path)[1].n_steps < 1000
    with pytest.raises(OutputExistsError, match="is finished"):
        train_tissues(config, out_dir, label_maps_dir=label_maps_dir, minutes=0.02, resume=True, say=lambda _: None)


def test_a_run_of_fewer_steps_than_an_epoch_is_validated_at_its_end(run, config, label_maps_dir):
    out_dir = run.parent.with_name("short")
    shutil.copytree(run.parent / "heads", out_dir / "heads")
    config.write_text(SETTINGS.replace("n_steps = 4", "n_steps = 3"))
    path = train_tissues(config, out_dir, label_maps_dir=label_maps_dir, say=lambda _: None)
    assert load_model(path)[1].n_steps == 3


def test_too_few_label_maps_are_refused(config, label_maps_dir, tmp_path):
    few_dir = tmp_path / "few"
    few_dir.mkdir()
    for path in sorted(label_maps_dir.iterdir())[:4]:
        shutil.copy(path, few_dir)
    with pytest.raises(InputError, match="expected at least 5"):
        train_tissues(config, tmp_path / "run", label_maps_dir=few_dir, say=lambda _: None)
