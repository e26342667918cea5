"""Whole training runs of Liu et al.'s networks, as small as they can be."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hail_mri.apps.cli import main
from hail_mri.errors import InputError, OutputExistsError
from hail_mri.model.slice_harmonization import harmonize_slices
from hail_mri.model.weights import load_slice_gan
from hail_mri.training.data.simulated_samples import SimulatedSamples
from hail_mri.training.gan_settings import load_gan_settings
from hail_mri.training.phases.gan_run import train_gan
from hail_mri.training.phases.paper_source import PairFiles
from hail_mri.training.running import checkpoints

CONFIGS = Path(__file__).parents[3] / "configs"
REDUCED = {
    "size": "32",
    "width": "4",
    "widest": "8",
    "n_style": "6",
    "n_latent": "3",
    "n_hidden": "8",
    "spacing_mm": "8.0",
    "shape": "[24, 32, 32]",
    "n_heads": "4",
    "n_validation_heads": "2",
    "n_validation_pairs": "2",
    "n_workers": "0",
    "n_steps": "6",
    "steps_per_epoch": "3",
    "ema_decay": "0.9",
}


def edited(name, path, **changes):
    """Write settings that come with the project with other numbers."""
    text = (CONFIGS / name).read_text(encoding="utf-8")
    for key, value in changes.items():
        text, n_found = re.subn(rf"^{key} = [^#\n]*", f"{key} = {value} ", text, flags=re.MULTILINE)
        assert n_found == 1, key
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return edited("liu-small.toml", tmp_path_factory.mktemp("config") / "tiny.toml", **REDUCED)


@pytest.fixture(scope="module")
def whole_path(label_maps_dir, config, tmp_path_factory):
    """Weights of a run that nothing interrupted."""
    return train_gan(config, tmp_path_factory.mktemp("whole"), files=PairFiles(label_maps_dir))


@pytest.fixture
def run_dir(whole_path, tmp_path):
    """Folder of a run that has its heads already."""
    shutil.copytree(whole_path.parent / "heads", tmp_path / "run" / "heads")
    return tmp_path / "run"


def last_of(folder):
    return torch.load(folder / "liu" / "last.ckpt", weights_only=True, map_location="cpu")


def differing(one, other):
    """Names of the tensors that are not equal bit by bit."""
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def test_a_run_ends_with_weights_that_harmonize_and_a_card_that_tells_of_them(whole_path):
    network, card = load_slice_gan(whole_path)
    assert (card.phase, card.spacing_mm, card.n_steps) == ("liu", 8.0, 6)
    assert card.training_data == ("head_0.nii.gz",)
    assert 0 < card.validation_loss < 1000
    found = harmonize_slices(network, torch.rand(24, 32, 32), torch.rand(24, 32, 32))
    assert torch.isfinite(found).all()


def test_the_command_makes_the_same_weights_and_draws_their_curves(whole_path, label_maps_dir, config, run_dir):
    arguments = ["train", "liu", "--config", config, "--label-maps", label_maps_dir, "-o", run_dir]

    assert main([str(argument) for argument in arguments]) == 0

    assert not differing(load_file(run_dir / "liu.safetensors"), load_file(whole_path))
    assert {"liu.json", "liu_log.tsv", "liu_curves.png"} <= {path.name for path in run_dir.iterdir()}


def test_a_run_goes_on_from_the_weights_of_another_and_counts_its_steps(whole_path, label_maps_dir, config, run_dir):
    path = train_gan(config, run_dir, files=PairFiles(label_maps_dir), init=whole_path)

    before, after = load_file(whole_path), load_file(path)
    assert load_slice_gan(path)[1].n_steps == 2 * load_slice_gan(whole_path)[1].n_steps
    assert differing(before, after)
    # Six steps of Adam with 1e-4 away, averaged: not a new beginning.
    name = "generator.first.weight"
    assert (after[name] - before[name]).abs().max() < 6 * 2e-4


def test_weights_of_another_size_are_refused(whole_path, label_maps_dir, tmp_path):
    wider = edited("liu-small.toml", tmp_path / "wider.toml", **REDUCED | {"width": "6"})

    for init in (whole_path, "compact"):
        with pytest.raises(InputError, match=r"the settings ask for|holds a TissueNetwork"):
            train_gan(wider, tmp_path / "run", files=PairFiles(label_maps_dir), init=init)


def test_an_iteration_is_one_step_of_both_players(whole_path):
    last = last_of(whole_path.parent)
    assert last["global_step"] == 6
    opponent, generating = (optimizer["state"] for optimizer in last["optimizer_states"])
    assert {int(state["step"]) for state in [*opponent.values(), *generating.values()]} == {6}


def test_the_weights_that_are_kept_are_the_averaged_ones_of_the_last_step(whole_path):
    last, kept = last_of(whole_path.parent), load_file(whole_path)
    averaged = {n.removeprefix("network."): v for n, v in last["state_dict"].items() if n.startswith("network.")}
    current = {name: last["current_model_state"][f"network.{name}"] for name in averaged}
    assert differing(kept, averaged) == []
    assert len(differing(kept, current)) == len(kept)


@pytest.mark.parametrize(
    ("seconds", "going_on"),
    [
        pytest.param(1000.0, 3, id="from the end of an epoch"),
        pytest.param(0.0, 5, id="from the middle of an epoch"),
    ],
)
def test_a_run_that_was_interrupted_ends_with_the_bits_of_one_that_was_not(
    whole_path, run_dir, label_maps_dir, config, monkeypatch, seconds, going_on
):
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", seconds)
    draw, lines = SimulatedSamples.__getitem__, []

    def draw_or_fail(pairs, index):
        if pairs.seed == 1 and pairs.first + index == 10:  # for the last of six steps of two pairs
            raise RuntimeError("power cut")
        return draw(pairs, index)

    with monkeypatch.context() as patch:
        patch.setattr(SimulatedSamples, "__getitem__", draw_or_fail)
        with pytest.raises(RuntimeError, match="power cut"):
            train_gan(config, run_dir, files=PairFiles(label_maps_dir))
    path = train_gan(config, run_dir, files=PairFiles(label_maps_dir), resume=True, say=lines.append)

    assert any(line.startswith(f"going on after step {going_on} of 6") for line in lines)
    assert differing(load_file(path), load_file(whole_path)) == []
    one, other = last_of(whole_path.parent), last_of(run_dir)
    for part in ("state_dict", "current_model_state"):  # the discriminator, too
        assert differing(one[part], other[part]) == []
    for first, second in zip(one["optimizer_states"], other["optimizer_states"], strict=True):
        assert all(differing(first["state"][n], second["state"][n]) == [] for n in first["state"])


def test_a_run_that_was_killed_after_its_last_checkpoint_is_finished_from_it(
    whole_path, label_maps_dir, config, tmp_path
):
    run_dir = shutil.copytree(whole_path.parent, tmp_path / "run")
    (run_dir / "liu" / "finished.json").unlink()
    (run_dir / "liu.safetensors").unlink()
    path = train_gan(config, run_dir, files=PairFiles(label_maps_dir), resume=True)
    assert differing(load_file(path), load_file(whole_path)) == []
    assert load_slice_gan(path)[1].validation_loss == load_slice_gan(whole_path)[1].validation_loss


def test_a_finished_run_says_so(whole_path, label_maps_dir, config):
    end = json.loads((whole_path.parent / "liu" / "finished.json").read_text(encoding="utf-8"))
    assert (end["n_steps"], end["has_weights"]) == (6, True)
    with pytest.raises(OutputExistsError, match=r"finished \(liu, 6 steps"):
        train_gan(config, whole_path.parent, files=PairFiles(label_maps_dir), resume=True)


def test_the_log_tells_every_term(whole_path):
    from hail_mri.training.running.learning_log import read_learning_log

    columns = set(read_learning_log(whole_path.parent / "liu").columns)
    assert {"validation_loss", "validation_style", "validation_cycle"} <= columns


def test_a_run_ends_when_its_time_is_over(run_dir, label_maps_dir, tmp_path):
    long = edited("liu-small.toml", tmp_path / "long.toml", **REDUCED | {"n_steps": "1000000"})
    path = train_gan(long, run_dir, files=PairFiles(label_maps_dir), minutes=0.03)
    assert 0 < load_slice_gan(path)[1].n_steps < 10000


def test_the_papers_settings_start_with_smaller_numbers(run_dir, label_maps_dir, tmp_path):
    config = edited("liu.toml", tmp_path / "paper.toml", **REDUCED | {"n_steps": "1", "ema_decay": "0.999"})
    path = train_gan(config, run_dir, files=PairFiles(label_maps_dir))
    assert load_slice_gan(path)[1].n_steps == 1


def test_the_papers_numbers_are_those_of_the_papers():
    settings = load_gan_settings(CONFIGS / "liu.toml")
    assert tuple(settings.network.model_dump().values()) == (256, 64, 512, 64, 16, 512)
    assert (settings.data.spacing_mm, settings.data.shape) == (1.0, (256, 256, 256))
    gan, losses = settings.gan, settings.losses
    assert (gan.n_steps, 2 * gan.pairs_per_step, gan.ema_decay) == (200_000, 4, 0.999)
    assert (gan.learning_rate, gan.mapping_learning_rate) == (1e-4, 1e-6)
    assert (gan.betas, gan.weight_decay) == ((0.0, 0.99), 1e-4)
    assert (losses.r1, losses.style, losses.diversity, losses.cycle) == (1, 1, 1, 100)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"size": "100"}, "network: slices of 100 pixels", id="size"),
        pytest.param({"size": "64"}, "expected at most the network's size, 64, an edge", id="slices too large"),
        pytest.param({"patch": "64"}, "data.patch", id="patches"),
        pytest.param({"pairs_per_step": "1"}, "gan.pairs_per_step", id="one pair"),
        pytest.param({"betas": "[0.0, 1.0]"}, "betas are", id="betas"),
        pytest.param({"cycle": "-1.0"}, "losses.cycle", id="negative weight"),
        pytest.param({"sites": '["A"]'}, "expected two or more", id="one site"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        load_gan_settings(edited("liu-small.toml", tmp_path / "edited.toml", **changes))


def test_a_misspelt_key_is_told_from_all_that_the_table_has(tmp_path):
    text = (CONFIGS / "liu-small.toml").read_text(encoding="utf-8").replace("n_heads", "n_haeds", 1)
    (tmp_path / "edited.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"data\.n_haeds") as caught:
        load_gan_settings(tmp_path / "edited.toml")
    assert caught.value.hint == "Did you mean 'n_heads'?"


@pytest.mark.parametrize(
    ("with_scans", "with_maps", "message"),
    [
        pytest.param(False, False, "nothing to learn from", id="nothing"),
        pytest.param(True, True, "simulated_share is 0 and label maps are given", id="no share"),
    ],
)
def test_files_and_settings_that_do_not_agree_are_refused(
    label_maps_dir, config, tmp_path, with_scans, with_maps, message
):
    files = PairFiles(label_maps_dir if with_maps else None, tmp_path / "scans.tsv" if with_scans else None)
    with pytest.raises(InputError, match=message):
        train_gan(config, tmp_path / "run", files=files)
    assert not (tmp_path / "run").exists()
