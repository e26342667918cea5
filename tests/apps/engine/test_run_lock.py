import os
import subprocess
import sys
from pathlib import Path

import pytest

import hail_mri
from hail_mri.apps.engine import run_lock as module
from hail_mri.apps.engine.run_lock import run_lock
from hail_mri.apps.engine.workers import Workers
from hail_mri.errors import OutputExistsError, UnwritableError

HOLD = """
import sys
from pathlib import Path
from hail_mri.apps.engine.run_lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """Return a process that has the lock of `out`."""
    environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
    command = [sys.executable, "-c", HOLD, str(tmp_path / "out")]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as found:
        assert found.stdout.readline() == "held\n"
        yield found
        found.kill()


def test_a_folder_in_use_is_refused_and_named_with_the_process_that_has_it(tmp_path, holder):
    with pytest.raises(OutputExistsError, match=rf"out is in use by another run \(process {holder.pid} of "):
        run_lock(tmp_path / "out").__enter__()


def test_a_second_run_into_a_folder_is_refused_and_the_first_goes_on(study, holder):
    with pytest.raises(OutputExistsError, match="in use by another run"):
        study.run(Workers(n_processes=0))

    assert holder.poll() is None
    assert not study.table_path.exists()


def test_the_lock_of_a_process_that_was_killed_is_taken_at_once(tmp_path, holder):
    holder.kill()
    holder.wait()

    with run_lock(tmp_path / "out"):
        pass

    assert not (tmp_path / "out").exists() or not list((tmp_path / "out/.hail-mri").iterdir())


def test_a_lock_of_another_machine_that_does_not_beat_any_more_is_taken_in_the_end(tmp_path, monkeypatch):
    lock = tmp_path / ".hail-mri/run.lock"
    lock.parent.mkdir()
    lock.write_text("0" * 12 + '{"owner": "x", "pid": 1, "host": "elsewhere", "place": "elsewhere"}')
    monkeypatch.setattr(module, "STALE", 0.3)

    with run_lock(tmp_path) as held:
        held.require_held()

    assert not lock.exists()


def test_a_lock_that_was_taken_over_meanwhile_is_noticed_and_left_alone(tmp_path):
    lock = tmp_path / ".hail-mri/run.lock"
    with run_lock(tmp_path) as held:
        lock.write_text("0" * 12 + '{"pid": 7, "host": "elsewhere"}')
        with pytest.raises(OutputExistsError, match=r"taken over by another run .process 7 of elsewhere"):
            held.require_held()

    assert lock.exists()


def test_a_folder_that_nothing_was_put_into_is_removed(tmp_path):
    with run_lock(tmp_path / "new/out"):
        assert (tmp_path / "new/out/.hail-mri/run.lock").is_file()

    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("holder")
def test_a_file_system_without_second_names_has_locks_too(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    with run_lock(tmp_path / "other") as held:
        held.require_held()
    with pytest.raises(OutputExistsError, match="in use by another run"):
        run_lock(tmp_path / "out").__enter__()


def test_a_place_that_cannot_be_a_folder_is_said(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(UnwritableError, match="file/out cannot be written to"):
        run_lock(tmp_path / "file/out").__enter__()
