"""Runs that are killed from outside, like those of a cluster, and started again until they are finished."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.weights import ModelCard, save_model
from hail_mri.training.phases.paper_run import train
from hail_mri.training.phases.paper_source import PairFiles
from hail_mri.training.running.trainer import EXIT_TERMINATED

SMOKE = Path(__file__).parents[3] / "configs" / "smoke.toml"
SETTINGS = FeatureNetworkSettings((4, 8, 8, 8), (1, 1, 1, 1), skips=True)
N_EPOCHS, FEWEST_KILLS, SECONDS = 16, 3, 120


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Settings of a run that lives long enough to be killed: a checkpoint after each of its epochs."""
    path = tmp_path_factory.mktemp("config") / "longer.toml"
    text = re.sub(r"epochs = \d+", f"epochs = {N_EPOCHS}", SMOKE.read_text())
    path.write_text(text.replace("n_workers = 0", "n_workers = 1"))
    return path


@pytest.fixture(scope="module")
def init(tmp_path_factory):
    """Weights to start phase 2 from."""
    torch.manual_seed(0)
    card = ModelCard("init", "encoder", SETTINGS, 8.0, (), (), "2024-01-01", 0, 1.0)
    return save_model(FeatureStyleNetwork(SETTINGS), card, tmp_path_factory.mktemp("init") / "init.safetensors")


@pytest.fixture(scope="module")
def undisturbed(config, init, label_maps_dir, tmp_path_factory):
    """Weights of the run that nobody killed."""
    return train("style", config, tmp_path_factory.mktemp("undisturbed"), files=PairFiles(label_maps_dir), init=init)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_a_run_that_is_killed_again_and_again_ends_with_the_weights_of_one_that_was_not(
    config, init, label_maps_dir, undisturbed, tmp_path, name
):
    shutil.copytree(undisturbed.parent / "heads", tmp_path / "run" / "heads")
    command = [sys.executable, "-m", "hail_mri", "train", "style", "--config", config, "-o", tmp_path / "run"]
    command += ["--label-maps", label_maps_dir, "--init", init]
    kill, moments = signal.Signals[name], random.Random(name)
    last_path, n_kills = tmp_path / "run" / "style" / "last.ckpt", 0
    while (status := run(command, last_path, kill, moments)) != 0:
        n_kills += 1
        assert status == (-signal.SIGKILL if kill == signal.SIGKILL else EXIT_TERMINATED)
    assert n_kills >= FEWEST_KILLS
    whole, killed = load_file(undisturbed), load_file(tmp_path / "run" / "style.safetensors")
    assert all(torch.equal(killed[tensor], whole[tensor]) for tensor in whole)


def run(command, last_path, kill, moments):
    """Start or go on; kill at a random moment of one of the next epochs. Return the exit status."""
    command = [*map(str, command), *(["--resume"] if last_path.exists() else [])]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    n_epochs, seen, end = (
        moments.randint(1, N_EPOCHS // FEWEST_KILLS),
        written_at(last_path),
        time.monotonic() + SECONDS,
    )
    try:
        while process.poll() is None and time.monotonic() < end:
            if written_at(last_path) != seen:
                seen, n_epochs = written_at(last_path), n_epochs - 1
                if n_epochs == 0:
                    time.sleep(moments.uniform(0, 0.3))
                    os.killpg(process.pid, kill)  # as schedulers do: those that make samples, too
            time.sleep(0.005)
        return process.wait(SECONDS)
    finally:
        process.kill()


def written_at(path):
    return path.stat().st_mtime_ns if path.exists() else 0
