"""Whole training runs, as small as they can be."""

import csv
import json
import os
import re
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from hail_mri.apps.cli import main
from hail_mri.errors import InputError, MissingFileError, OutputExistsError
from hail_mri.harmonize.harmonizer import harmonize
from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.weights import ModelCard, load_model, save_model
from hail_mri.report.example_picture import save_example
from hail_mri.training.data.simulated_samples import SimulatedSamples
from hail_mri.training.phases.paper_run import train
from hail_mri.training.phases.paper_source import PairFiles
from hail_mri.training.running import checkpoints, pictures

SMOKE = Path(__file__).parents[3] / "configs" / "smoke.toml"
SETTINGS = FeatureNetworkSettings((4, 8, 8, 8), (1, 1, 1, 1), skips=True)


@pytest.fixture(scope="module")
def init(tmp_path_factory):
    """Weights to start phase 2 from."""
    torch.manual_seed(0)
    card = ModelCard("init", "encoder", SETTINGS, 8.0, (), (), "2024-01-01", 0, 1.0)
    return save_model(FeatureStyleNetwork(SETTINGS), card, tmp_path_factory.mktemp("init") / "init.safetensors")


@pytest.fixture(scope="module")
def whole_path(label_maps_dir, init, tmp_path_factory):
    """Weights of a run of phase 2 that nothing interrupted."""
    return train("style", SMOKE, tmp_path_factory.mktemp("whole"), files=PairFiles(label_maps_dir), init=init)


@pytest.fixture
def run_dir(whole_path, tmp_path):
    """Folder of a run that has its heads already."""
    shutil.copytree(whole_path.parent / "heads", tmp_path / "run" / "heads")
    return tmp_path / "run"


def weights_of(checkpoint_path):
    return torch.load(checkpoint_path, weights_only=True, map_location="cpu")["state_dict"]


def differing(one, other):
    """Names of the tensors that are not equal bit by bit."""
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def test_both_phases_run_from_the_command_line_and_their_result_harmonizes(label_maps_dir, tmp_path, make_head):
    run_dir = tmp_path / "run"
    for phase in ("encoder", "style"):
        arguments = ["train", phase, "--config", SMOKE, "-o", run_dir, "--label-maps", label_maps_dir]
        assert main([str(argument) for argument in arguments]) == 0

    names = {path.name for path in run_dir.iterdir()}
    assert names == {"settings.toml", "heads", "encoder", "style"} | {
        f"{phase}{suffix}"
        for phase in ("encoder", "style")
        for suffix in (".safetensors", ".json", "_log.tsv", "_curves.png")
    }
    log = pd.read_csv(run_dir / "style_log.tsv", sep="\t")
    _, card = load_model(run_dir)
    assert log["validation_loss"].min() == pytest.approx(card.validation_loss)
    assert (card.phase, card.spacing_mm, card.network, card.n_steps) == ("style", 8.0, SETTINGS, 6)
    assert card.training_data == ("head_0.nii.gz",)
    assert card.validation_data == ("head_1.nii.gz", "head_2.nii.gz")
    source = make_head()
    assert harmonize(source, make_head(noise=0), model=run_dir).shape == source.shape


@pytest.fixture
def cut_power(monkeypatch):
    """Return a function that lets a run fail at a pair; it gives back the pairs that are drawn."""
    draw, drawn = SimulatedSamples.__getitem__, []

    def cut_power_at(number):
        def draw_or_fail(pairs, index):
            if pairs.seed == 1:  # for training
                drawn.append(pairs.first + index)
                if drawn[-1] == number:
                    raise RuntimeError("power cut")
            return draw(pairs, index)

        monkeypatch.setattr(SimulatedSamples, "__getitem__", draw_or_fail)
        return drawn

    return cut_power_at


@pytest.mark.parametrize(
    ("seconds", "going_on"),
    [
        pytest.param(1000.0, 3, id="from the end of an epoch"),
        pytest.param(0.0, 4, id="from the middle of an epoch"),
    ],
)
def test_a_run_that_was_interrupted_ends_with_the_weights_of_one_that_was_not(
    whole_path, run_dir, label_maps_dir, init, cut_power, monkeypatch, seconds, going_on
):
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", seconds)
    drawn, lines = cut_power(4), []  # the second of three pairs of the second epoch
    with pytest.raises(RuntimeError, match="power cut"):
        train("style", SMOKE, run_dir, files=PairFiles(label_maps_dir), init=init)
    drawn.clear()
    cut_power(None)
    moved_dir = run_dir.rename(run_dir.with_name("moved"))
    path = train("style", SMOKE, moved_dir, files=PairFiles(label_maps_dir), init=init, resume=True, say=lines.append)

    assert drawn == [3, 4, 5][going_on - 3 :]
    assert any(line.startswith(f"going on after step {going_on} of 6") for line in lines)
    last = [weights_of(folder / "style" / "last.ckpt") for folder in (whole_path.parent, moved_dir)]
    assert differing(*last) == []
    assert differing(load_file(path), load_file(whole_path)) == []


@pytest.mark.parametrize(
    ("pair", "kept_step"),
    [pytest.param(4, 5, id="within an epoch"), pytest.param(5, 3, id="before a validation")],
)
def test_a_run_that_is_asked_to_end_keeps_its_step_and_goes_on_to_the_same_weights(
    whole_path, run_dir, label_maps_dir, init, monkeypatch, pair, kept_step
):
    draw, lines = SimulatedSamples.__getitem__, []

    def draw_and_ask(pairs, index):
        if "train" in str(pairs.head_paths[0]) and pairs.first + index == pair:
            os.kill(os.getpid(), signal.SIGTERM)
        return draw(pairs, index)

    with monkeypatch.context() as patch:
        patch.setattr(SimulatedSamples, "__getitem__", draw_and_ask)
        with pytest.raises(SystemExit) as ended:
            train("style", SMOKE, run_dir, files=PairFiles(label_maps_dir), init=init, say=lines.append)
    assert ended.value.code == 143
    assert lines[-1] == "asked to end: go on with --resume"
    path = train("style", SMOKE, run_dir, files=PairFiles(label_maps_dir), init=init, resume=True, say=lines.append)
    assert any(line.startswith(f"going on after step {kept_step} of 6") for line in lines)
    assert differing(load_file(path), load_file(whole_path)) == []


def test_a_schedule_that_goes_by_validation_keeps_count_when_a_run_is_resumed(
    run_dir, label_maps_dir, init, cut_power, tmp_path
):
    settings = tmp_path / "plateau.toml"
    text = SMOKE.read_text(encoding="utf-8").replace('"cosine"', '"plateau"')
    settings.write_text(text.replace("epochs = 2", "epochs = 3"), encoding="utf-8")
    cut_power(4)  # the second of three pairs of the second epoch
    with pytest.raises(RuntimeError, match="power cut"):
        train("style", settings, run_dir, files=PairFiles(label_maps_dir), init=init)
    cut_power(None)
    train("style", settings, run_dir, files=PairFiles(label_maps_dir), init=init, resume=True)
    last = torch.load(run_dir / "style" / "last.ckpt", weights_only=True, map_location="cpu")
    assert last["callbacks"]["PlateauSchedule"]["last_epoch"] == 3


def test_the_same_settings_give_the_same_weights(whole_path, run_dir, label_maps_dir, init):
    path = train("style", SMOKE, run_dir, files=PairFiles(label_maps_dir), init=init)
    assert differing(load_file(path), load_file(whole_path)) == []
    assert differing(load_file(path), load_file(init)) != []


def test_pictures_of_a_validation_pair_change_no_bit_of_a_run(whole_path, run_dir, label_maps_dir, init, monkeypatch):
    monkeypatch.setattr(pictures, "PICTURE_SECONDS", 0.0)
    files = PairFiles(label_maps_dir)
    path = train("style", SMOKE, run_dir, files=files, init=init, draw=save_example)
    drawn = sorted(file.name for file in (run_dir / "style" / "pictures").iterdir())
    assert drawn[0] == "step_0000003.png"
    assert differing(load_file(path), load_file(whole_path)) == []
    last = [weights_of(folder / "style" / "last.ckpt") for folder in (whole_path.parent, run_dir)]
    assert differing(*last) == []


def test_a_finished_run_keeps_how_many_pairs_it_learned_from_in_a_second(whole_path):
    end = json.loads((whole_path.parent / "style" / "finished.json").read_text(encoding="utf-8"))
    assert 0.1 < end["pairs_per_second"] < 1000


def test_the_log_tells_every_term_of_the_loss(whole_path):
    with next((whole_path.parent / "style").rglob("metrics.csv")).open(encoding="utf-8") as file:
        columns = set(next(csv.reader(file)))
    assert {"validation_loss", "validation_supervised", "validation_prediction", "validation_consistency"} <= columns


@pytest.mark.parametrize("ema_decay", ["0.0", "0.9"])
def test_patches_and_a_frozen_encoder_train_as_in_the_paper(run_dir, label_maps_dir, init, tmp_path, ema_decay):
    text = SMOKE.read_text(encoding="utf-8")
    for old, new in (
        ("patch = 0", "patch = 16"),
        ("style = 0.0", "style = 100.0"),
        ("content = 0.0", "content = 150.0"),
        ("supervised = 1.0", "supervised = 0.0"),
        ('"cosine"', '"plateau"'),
        ("freeze_encoder = false", "freeze_encoder = true"),
        ("ema_decay = 0.9", f"ema_decay = {ema_decay}"),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "paper_like.toml").write_text(text, encoding="utf-8")
    path = train("style", tmp_path / "paper_like.toml", run_dir, files=PairFiles(label_maps_dir), init=init)
    trained, started = load_file(path), load_file(init)
    assert all(torch.isfinite(tensor).all() for tensor in trained.values())
    assert set(differing(trained, started)) == {name for name in trained if name.startswith("decoder.")}


@pytest.mark.parametrize("resume", [True, False])
def test_a_finished_run_says_that_it_is_finished_and_what_to_do(whole_path, label_maps_dir, init, resume):
    before = whole_path.read_bytes()
    with pytest.raises(OutputExistsError, match=r"finished \(style, 6 steps in .*; its weights are") as caught:
        train("style", SMOKE, whole_path.parent, files=PairFiles(label_maps_dir), init=init, resume=resume)
    assert caught.value.hint.endswith(f"-o OTHER --init {whole_path}")
    assert whole_path.read_bytes() == before


def test_a_phase_stops_when_its_minutes_are_over_and_keeps_what_it_has_learned(run_dir, label_maps_dir, init, tmp_path):
    long = tmp_path / "long.toml"
    long.write_text(SMOKE.read_text(encoding="utf-8").replace("epochs = 2", "epochs = 100000"), encoding="utf-8")
    path = train("style", long, run_dir, files=PairFiles(label_maps_dir), init=init, minutes=0.05)
    assert 0 < load_model(path)[1].n_steps < 10000


def test_there_is_nothing_to_resume_without_a_checkpoint(run_dir, label_maps_dir, init):
    with pytest.raises(MissingFileError, match="no checkpoint"):
        train("style", SMOKE, run_dir, files=PairFiles(label_maps_dir), init=init, resume=True)


def test_another_phase_says_that_the_folder_belongs_to_other_settings(whole_path, label_maps_dir, tmp_path):
    run_dir = shutil.copytree(whole_path.parent, tmp_path / "run")
    other = tmp_path / "other.toml"
    other.write_text(SMOKE.read_text(encoding="utf-8").replace("1e-3", "2e-3"), encoding="utf-8")
    with pytest.raises(InputError, match=r"other settings than .*: encoder.learning_rate, style.learning_rate"):
        train("encoder", other, run_dir, files=PairFiles(label_maps_dir))


def test_phase_2_without_a_result_of_phase_1_says_what_to_do(label_maps_dir, tmp_path):
    with pytest.raises(MissingFileError) as caught:
        train("style", SMOKE, tmp_path / "run", files=PairFiles(label_maps_dir))
    assert "train encoder" in caught.value.hint


def test_too_few_label_maps_are_refused(tmp_path):
    with pytest.raises(MissingFileError, match="no folder of label maps"):
        train("encoder", SMOKE, tmp_path / "run", files=PairFiles(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no label map"):
        train("encoder", SMOKE, tmp_path / "run", files=PairFiles(tmp_path / "empty"))


def test_weights_of_another_network_are_no_start(label_maps_dir, tmp_path):
    settings = FeatureNetworkSettings((4, 8), (1, 1), skips=True)
    card = ModelCard("other", "encoder", settings, 8.0, (), (), "2024-01-01", 0, 1.0)
    other = save_model(FeatureStyleNetwork(settings), card, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="the settings ask for"):
        train("style", SMOKE, tmp_path / "run", files=PairFiles(label_maps_dir), init=other)


def with_batches(folder, n_pairs, n_batches):
    """Write the smallest settings with four pairs an epoch and steps of several batches."""
    text = SMOKE.read_text(encoding="utf-8")
    sizes = {"pairs_per_epoch": 4, "pairs_per_batch": n_pairs, "batches_per_step": n_batches}
    wanted = {**sizes, "patch": 16, "gradient_clip": 0.0}
    for name, number in wanted.items():
        text = re.sub(rf"^{name} = .*", f"{name} = {number}", text, flags=re.MULTILINE)
    path = folder / f"{n_pairs}-{n_batches}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_step_of_two_batches_is_that_of_one_twice_as_large(run_dir, label_maps_dir, init, tmp_path):
    found = []
    for n_pairs, n_batches in ((2, 1), (1, 2)):
        out_dir = run_dir.with_name(f"run-{n_batches}")
        shutil.copytree(run_dir, out_dir)
        config = with_batches(tmp_path, n_pairs, n_batches)
        path = train("encoder", config, out_dir, files=PairFiles(label_maps_dir), init=init)
        assert load_model(path)[1].n_steps == 4
        found.append(load_file(path))
    for name, weights in found[0].items():
        torch.testing.assert_close(found[1][name], weights, rtol=1e-3, atol=1e-5, msg=name)


def test_a_run_goes_on_with_a_whole_step(run_dir, label_maps_dir, init, cut_power, monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0.0)
    config = with_batches(tmp_path, 1, 2)
    shutil.copytree(run_dir, tmp_path / "undisturbed")
    whole = train("style", config, tmp_path / "undisturbed", files=PairFiles(label_maps_dir), init=init)
    drawn = cut_power(7)  # the second half of the second step of the second epoch
    with pytest.raises(RuntimeError, match="power cut"):
        train("style", config, run_dir, files=PairFiles(label_maps_dir), init=init)
    drawn.clear()
    cut_power(None)
    path = train("style", config, run_dir, files=PairFiles(label_maps_dir), init=init, resume=True)
    assert drawn == [6, 7]
    assert differing(load_file(path), load_file(whole)) == []


REDUCED = {
    "spacing_mm": "8.0",
    "shape": "[32, 32, 32]",
    "patch": "16",
    "n_heads": "2",
    "n_validation_heads": "2",
    "n_validation_pairs": "1",
    "n_workers": "0",
    "epochs": "1",
    "pairs_per_epoch": "1",
    "pairs_per_batch": "1",
}


def test_the_papers_preset_starts_with_smaller_numbers(label_maps_dir, tmp_path):
    text = SMOKE.with_name("paper.toml").read_text(encoding="utf-8")
    for name, number in REDUCED.items():
        text, n_found = re.subn(rf"^{name} = [^#\n]*", f"{name} = {number} ", text, flags=re.MULTILINE)
        assert n_found
    (tmp_path / "reduced.toml").write_text(text, encoding="utf-8")
    for phase in ("encoder", "style"):
        path = train(phase, tmp_path / "reduced.toml", tmp_path / "run", files=PairFiles(label_maps_dir))
        assert load_model(path)[1].n_steps == 1


@pytest.fixture
def scans_tsv(tmp_path):
    """A table of two sites whose files are there; whatever is refused is refused before they are read."""
    lines = ["subject\tsite\tpath"]
    for site in "AB":
        for number in range(3):
            (tmp_path / f"{site}{number}.nii").touch()
            lines.append(f"{site}{number}\t{site}\t{site}{number}.nii")
    path = tmp_path / "scans.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("phase", "edits", "with_maps", "message"),
    [
        pytest.param("encoder", {}, False, "data.patch is 0", id="whole volumes"),
        pytest.param("style", {"patch": "8"}, False, "compare with a truth", id="supervised losses"),
        pytest.param("encoder", {"patch": "8"}, True, "simulated_share is 0 and label maps are given", id="no share"),
        pytest.param(
            "encoder",
            {"patch": "8", "simulated_share": "0.5"},
            False,
            "simulated_share is 0.5 and label maps are not given",
            id="no label maps",
        ),
        pytest.param(
            "encoder", {"patch": "8", "held_out_sites": '["C"]'}, False, "held_out_sites names C", id="unknown site"
        ),
    ],
)
def test_real_scans_and_settings_that_do_not_agree_are_refused_before_anything_is_made(
    label_maps_dir, scans_tsv, tmp_path, phase, edits, with_maps, message
):
    text = SMOKE.read_text(encoding="utf-8")
    for name, value in edits.items():
        text = re.sub(rf"^{name} = .*", f"{name} = {value}", text, flags=re.MULTILINE)
    (tmp_path / "edited.toml").write_text(text, encoding="utf-8")
    files = PairFiles(label_maps_dir if with_maps else None, scans_tsv)
    with pytest.raises(InputError, match=message):
        train(phase, tmp_path / "edited.toml", tmp_path / "run", files=files)
    assert not (tmp_path / "run").exists()


def test_nothing_to_learn_from_is_refused(tmp_path):
    with pytest.raises(InputError, match="nothing to learn from"):
        train("encoder", SMOKE, tmp_path / "run", files=PairFiles())


@pytest.mark.parametrize(
    ("sites", "message"),
    [
        pytest.param('["A", "Z"]', "no site is called 'Z'", id="unknown"),
        pytest.param('["A"]', "expected two or more", id="one"),
        pytest.param('["A", "A"]', "expected two or more", id="twice"),
    ],
)
def test_sites_that_make_no_pairs_are_refused(label_maps_dir, tmp_path, sites, message):
    text = SMOKE.read_text(encoding="utf-8").replace("sites = []", f"sites = {sites}")
    (tmp_path / "edited.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        train("encoder", tmp_path / "edited.toml", tmp_path / "run", files=PairFiles(label_maps_dir))


def test_a_table_can_be_mended_after_a_bad_scan_and_not_after_learning_has_begun(scans_tsv, tmp_path):
    text = re.sub(r"^patch = .*", "patch = 8", SMOKE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (tmp_path / "edited.toml").write_text(text, encoding="utf-8")

    def run():
        return train("encoder", tmp_path / "edited.toml", tmp_path / "run", files=PairFiles(scans=scans_tsv))

    with pytest.raises(InputError, match="cannot be learned from"):
        run()  # the files are empty
    lines = scans_tsv.read_text(encoding="utf-8").splitlines()
    scans_tsv.write_text("\n".join(line for line in lines if not line.startswith("A0")) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be learned from"):
        run()
    (tmp_path / "run" / "style").mkdir()
    (tmp_path / "run" / "style" / "start.json").touch()
    scans_tsv.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="another split"):
        run()
