"""Runs that share a folder of results, as processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hail_mri
from hail_mri.apps.bids.claims import claimed
from hail_mri.apps.engine import run_lock
from hail_mri.errors import OutputExistsError

HOLD = """
import sys
from pathlib import Path
from hail_mri.apps.bids.claims import claimed
with claimed(Path(sys.argv[1]), sys.argv[2:]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """Return a process that has the participants 01 and 02 of `out`."""
    environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
    command = [sys.executable, "-c", HOLD, str(tmp_path / "out"), "01", "02"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as found:
        assert found.stdout.readline() == "held\n"
        yield found
        found.kill()


@pytest.mark.parametrize("labels", [{"01"}, {"02", "03"}, {"01", "02"}, {"00", "01", "02", "03"}])
def test_runs_that_share_a_participant_are_kept_apart(labels, holder, tmp_path):
    names = ", ".join(f"sub-{label}" for label in sorted(labels & {"01", "02"}))

    with (
        pytest.raises(OutputExistsError, match=rf"out: {names} is being .* another run \(process {holder.pid} of "),
        claimed(tmp_path / "out", labels),
    ):
        pass


@pytest.mark.usefixtures("holder")
def test_runs_of_other_participants_go_on_at_the_same_time(tmp_path):
    with claimed(tmp_path / "out", {"03"}) as claim:
        claim.require_held()
        assert len(list(tmp_path.glob("out/.hail-mri/claims/*.lock"))) == 2

    with claimed(tmp_path / "out", {"03", "04"}) as claim:
        claim.require_held()
    assert len(list(tmp_path.glob("out/.hail-mri/claims/*.lock"))) == 1


def test_a_run_that_was_killed_leaves_its_participants_to_the_next(holder, tmp_path):
    holder.kill()
    holder.wait()

    with claimed(tmp_path / "out", {"02", "03"}) as claim:
        claim.require_held()
        assert len(list(tmp_path.glob("out/.hail-mri/claims/*.lock"))) == 1


def test_a_run_of_another_machine_is_gone_when_its_claim_does_not_beat(holder, tmp_path, monkeypatch):
    (path,) = tmp_path.glob("out/.hail-mri/claims/*.lock")
    of_another = path.read_text().replace('"place": "', '"place": "another ')
    holder.kill()
    holder.wait()
    path.write_text(of_another)
    monkeypatch.setattr(run_lock, "STALE", 0.5)

    with claimed(tmp_path / "out", {"01"}) as claim:
        claim.require_held()

    assert not path.exists()


def test_nothing_is_left_of_a_claim(tmp_path):
    with claimed(tmp_path / "out", {"01"}):
        assert list(tmp_path.glob("out/.hail-mri/claims/*.lock"))

    assert not (tmp_path / "out").exists()
