"""A real Dask cluster of two worker processes on this machine."""

import os
from pathlib import Path
from threading import Thread, Timer
from time import sleep

import psutil
import pytest

from hail_mri import __version__
from hail_mri.apps.cli import main
from hail_mri.apps.engine.states import read_states
from hail_mri.apps.engine.workers import Workers
from hail_mri.errors import InputError

distributed = pytest.importorskip("distributed")

WORKERS = 2


@pytest.fixture(scope="module")
def cluster():
    """Start a scheduler and two workers, as somebody would on other machines, in another folder."""
    with distributed.LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as found:
        yield found


def test_a_cluster_makes_the_same_bits_as_one_process(study, undisturbed, cluster):
    outcomes = study.run(Workers(dask_scheduler=cluster.scheduler_address))

    assert [outcome.status for outcome in outcomes] == ["done"] * len(study.sources)
    assert study.hashes == undisturbed.hashes
    assert [row["source"] for row in study.rows] == [os.path.relpath(path, study.output) for path in study.sources]
    again = study.run(Workers(dask_scheduler=cluster.scheduler_address))
    assert {outcome.status for outcome in again} == {"done already"}


def test_paths_relative_to_the_folder_of_the_caller_are_found_by_workers(
    study, undisturbed, cluster, heads, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(heads)
    where = ["--dask-scheduler", cluster.scheduler_address, "-o", os.path.relpath(tmp_path / "out")]

    status = main(["harmonize", "in", "--target", "target.nii.gz", "--model", study.settings.model, "--force", *where])

    assert status == 0, capsys.readouterr().err
    assert study.hashes == undisturbed.hashes


def test_scans_of_a_worker_that_is_killed_are_done_by_another(study, undisturbed, cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        first, *_ = client.run(os.getpid).values()
    killer = Thread(target=kill_when_a_scan_is_begun, args=(first, study.output), daemon=True)
    killer.start()

    outcomes = study.run(Workers(dask_scheduler=cluster.scheduler_address))

    killer.join()
    assert [outcome.status for outcome in outcomes] == ["done"] * len(study.sources)
    assert study.hashes == undisturbed.hashes


def kill_when_a_scan_is_begun(pid: int, output: Path) -> None:
    while not read_states(output):
        sleep(0.002)
    psutil.Process(pid).kill()


def test_a_scan_that_fails_is_listed_and_the_others_are_done(study, tmp_path, cluster):
    (tmp_path / "broken.nii.gz").write_bytes(b"broken")
    study.sources = [tmp_path / "broken.nii.gz", study.sources[0]]

    outcomes = study.run(Workers(dask_scheduler=cluster.scheduler_address))

    assert [outcome.status for outcome in outcomes] == ["failed", "done"]
    assert [row["attempts"] for row in study.rows] == ["2", "1"]


@pytest.mark.slow
def test_a_local_cluster_is_started_and_ended(study, undisturbed):
    outcomes = study.run(Workers(n_processes=WORKERS, dask_scheduler="local"))

    assert [outcome.status for outcome in outcomes] == ["done"] * len(study.sources)
    assert study.hashes == undisturbed.hashes


def test_an_address_where_nobody_answers_is_said(study, monkeypatch):
    monkeypatch.setattr("hail_mri.apps.engine.cluster.CONNECT_SECONDS", 0.5)

    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        study.run(Workers(dask_scheduler="tcp://127.0.0.1:9"))

    assert not study.output.exists()


def test_a_worker_of_another_version_that_comes_late_ends_the_run(study, monkeypatch):
    monkeypatch.setattr("hail_mri.apps.engine.cluster.__version__", "99.0")  # here, and not in the worker
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as empty:
        late = Timer(1.0, empty.scale, [1])
        late.start()

        with pytest.raises(InputError, match=rf"the worker on .* runs hail-mri {__version__}, expected 99\.0"):
            study.run(Workers(dask_scheduler=empty.scheduler_address))
        late.join()

    assert not study.hashes


def test_a_cluster_without_workers_is_said_and_waited_for(study, monkeypatch, capsys):
    monkeypatch.setattr("hail_mri.apps.engine.cluster.LOOK_SECONDS", 0.5)
    study.sources = study.sources[:1]
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as empty:
        late = Timer(3.0, empty.scale, [1])
        late.start()

        outcomes = study.run(Workers(dask_scheduler=empty.scheduler_address))
        late.join()

        said = capsys.readouterr().err
        expected = (
            f"hail-mri: waiting for workers: the cluster has none; start some: dask worker {empty.scheduler_address}"
        )
        assert said.count(expected) == 1
    assert [outcome.status for outcome in outcomes] == ["done"]
