"""Two processes that learn as one: the installed command as Lightning starts it, on CPUs."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from hail_mri.errors import InputError
from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.model.tissue_network import TissueNetwork, TissueNetworkSettings
from hail_mri.training.data.epochs import Epochs, EpochSizes
from hail_mri.training.phases.encoder_phase import EncoderPhase
from hail_mri.training.phases.paper_run import train
from hail_mri.training.phases.paper_source import PairFiles
from hail_mri.training.phases.tissue_phase import TissuePhase
from hail_mri.training.running.budget import Budget
from hail_mri.training.running.processes import Agreement, Processes
from hail_mri.training.settings import load_settings

SMOKE = Path(__file__).parents[3] / "configs" / "smoke.toml"
SECONDS = 180  # that nothing here takes


def write_config(folder, **settings):
    """Write the smallest settings that two processes can share: four patches an epoch, three pairs of validation."""
    wanted = {"patch": 16, "pairs_per_epoch": 4, "n_validation_pairs": 3, **settings}
    text = SMOKE.read_text(encoding="utf-8")
    for name, number in wanted.items():
        text = re.sub(rf"^{name} = .*", f"{name} = {number}", text, flags=re.MULTILINE)
    path = folder / f"{'-'.join(map(str, settings.values()))}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def start(config, out_dir, label_maps_dir, *options):
    """Start two processes as a user would; without GPUs, which may be fewer."""
    command = [sys.executable, "-m", "hail_mri", "train", "encoder", "--config", config, "-o", out_dir]
    command += ["--label-maps", label_maps_dir, "--devices", 2, *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [str(word) for word in command], env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )


@pytest.mark.slow
def test_two_processes_learn_what_one_does_with_batches_twice_as_large(label_maps_dir, tmp_path):
    together = start(write_config(tmp_path, pairs_per_batch=1), tmp_path / "two", label_maps_dir)
    one = write_config(tmp_path, pairs_per_batch=2)
    alone_path = train("encoder", one, tmp_path / "one", files=PairFiles(label_maps_dir))
    said = together.communicate(timeout=SECONDS)[1]

    assert together.returncode == 0
    assert said.count("weights are written to") == 1  # one speaks for both
    assert "Traceback" not in said
    weights, expected = load_file(tmp_path / "two" / "encoder.safetensors"), load_file(alone_path)
    for name, tensor in expected.items():  # after four steps; 1.5e-8 was measured
        torch.testing.assert_close(weights[name], tensor, rtol=0, atol=1e-6, msg=name)
    curves = [pd.read_csv(next((tmp_path / n).glob("encoder/log/*/metrics.csv"))) for n in ("two", "one")]
    for name in ("train_reconstruction", "validation_loss"):
        losses = [curve[name].dropna().tolist() for curve in curves]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert len(losses[0]) == 2
    assert len(list((tmp_path / "two" / "encoder" / "pictures").iterdir())) == 1
    assert (tmp_path / "two" / "encoder_curves.png").is_file()


@pytest.fixture(scope="module")
def long_config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("long"), pairs_per_batch=1, epochs=8)


@pytest.fixture(scope="module")
def undisturbed_dir(long_config, label_maps_dir, tmp_path_factory):
    """Folder of a run of two processes that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert start(long_config, folder, label_maps_dir).wait(SECONDS) == 0
    return folder


def children_of(process):
    """Return the processes that a process has started."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(number) for number in path.read_text().split()]


def kill_after_a_checkpoint(process, out_dir, name, *, child):
    """Send a signal to one of two processes; return the other's number."""
    last_path, end = out_dir / "encoder" / "last.ckpt", time.monotonic() + SECONDS
    while not last_path.exists() and time.monotonic() < end:
        time.sleep(0.02)
    (other,) = children_of(process)
    os.kill(other if child else process.pid, signal.Signals[name])
    return other


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@linux
@pytest.mark.slow
@pytest.mark.parametrize("child", [True, False])
def test_a_sigterm_to_either_is_one_to_both_and_the_run_goes_on_to_the_same_weights(
    long_config, label_maps_dir, undisturbed_dir, tmp_path, child
):
    process = start(long_config, tmp_path / "cut", label_maps_dir)
    kill_after_a_checkpoint(process, tmp_path / "cut", "SIGTERM", child=child)
    said = process.communicate(timeout=SECONDS)[1]
    assert (process.returncode, said.splitlines()[-1]) == (143, "hail-mri: train: asked to end: go on with --resume")
    assert start(long_config, tmp_path / "cut", label_maps_dir, "--resume").wait(SECONDS) == 0
    whole, cut = (load_file(folder / "encoder.safetensors") for folder in (undisturbed_dir, tmp_path / "cut"))
    assert all(torch.equal(cut[name], whole[name]) for name in whole)


@linux
@pytest.mark.slow
@pytest.mark.parametrize("child", [True, False])
def test_when_one_is_killed_the_other_does_not_wait_for_ever(long_config, label_maps_dir, tmp_path, child):
    process = start(long_config, tmp_path / "run", label_maps_dir)
    other = kill_after_a_checkpoint(process, tmp_path / "run", "SIGKILL", child=child)
    assert process.communicate(timeout=60) is not None
    assert process.returncode != 0
    end = time.monotonic() + 30
    while Path(f"/proc/{other}").exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not Path(f"/proc/{other}").exists()


class Two:
    """The strategy of two processes of which this is one: the other's numbers are added."""

    root_device = torch.device("cpu")

    def __init__(self, others):
        self.others = others

    def reduce(self, tensor, reduce_op):
        assert reduce_op == "sum"
        return tensor + torch.tensor(self.others, dtype=tensor.dtype)


def test_the_first_process_has_the_time_and_any_may_be_asked_to_end():
    agreement = Agreement(Budget(100))
    second = SimpleNamespace(world_size=2, is_global_zero=False, strategy=Two([0.0, 50.0, 7.0]))
    agreement.update(second)
    assert (agreement.budget.elapsed, agreement.budget.validation_seconds) == (50.0, 7.0)
    assert not agreement.is_asked_to_end(second)
    second.strategy = Two([1.0, 51.0, 7.0])
    assert not agreement.is_asked_to_end(second)  # not before both know
    agreement.update(second)
    assert agreement.is_asked_to_end(second)
    first = SimpleNamespace(world_size=2, is_global_zero=True, strategy=Two([0.0, 0.0, 0.0]))
    agreement = Agreement(Budget(100))
    agreement.update(first)
    assert 0 < agreement.budget.elapsed < 10


def test_one_process_asks_nobody():
    agreement = Agreement(Budget(100))
    alone = SimpleNamespace(world_size=1, received_sigterm=True)
    agreement.update(alone)
    assert agreement.is_asked_to_end(alone)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        pytest.param((6, 2, 2, 0, 2), "an epoch has 6 samples, expected a multiple of 4", id="a short batch"),
        pytest.param((8, 2, 1, 0, 2), "1 samples for validation, expected one for each of 2", id="no validation"),
    ],
)
def test_processes_that_would_not_weigh_the_same_are_refused(sizes, message):
    with pytest.raises(InputError, match=message):
        EpochSizes(*sizes)
    EpochSizes(*sizes[:-1])  # one process takes it


@pytest.mark.parametrize(
    "numbers",
    [
        (0, 1),
        (1, 0),
        pytest.param((10**4, 1), marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="about GPUs")),
    ],
)
def test_no_devices_and_more_gpus_than_there_are_are_refused(numbers):
    with pytest.raises(InputError, match="expected at least"):
        Processes(*numbers)


class Counting:
    """A source whose samples are numbers."""

    def samples(self, split, *, first, n_items):  # noqa: ARG002
        return list(range(first, first + n_items))


def test_validation_samples_are_each_seen_by_one_process():
    seen = []
    for rank in range(2):
        epochs = Epochs(Counting(), EpochSizes(4, 1, 5, 0, 2), prepare=lambda: None)
        epochs.trainer = SimpleNamespace(global_rank=rank)
        seen.append(list(epochs.val_dataloader().dataset))
    assert seen == [[0, 2, 4], [1, 3]]


def test_what_is_learned_from_is_prepared_once_also_when_two_trainers_ask():
    calls = []
    epochs = Epochs(Counting(), EpochSizes(4, 1, 5, 0), prepare=lambda: calls.append(1))
    epochs.prepare_data()
    epochs.prepare_data()
    assert calls == [1]


def test_phases_have_no_buffers_which_processes_would_send_each_other_before_every_batch_of_validation():
    settings = load_settings(SMOKE)
    network = FeatureStyleNetwork(FeatureNetworkSettings((4, 8), (1, 1), skips=True))
    tissues = TissuePhase(TissueNetwork(TissueNetworkSettings((8, 8), (1, 1))), None, None)
    assert [*EncoderPhase(network, settings.encoder).buffers(), *tissues.buffers()] == []
