"""Runs of the App and their workers that are killed at random moments, and started again until the study is done."""

import csv
import hashlib
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import hail_mri
import kills
from hail_mri.apps.bids.cli import main
from hail_mri.apps.engine.states import read_states

pytest.importorskip("bids2table")

WORK = 2.5  # s; most of what the scans take two workers, once these are there
N_KILLS = 20
SESSIONS = {"sub-00": ("ses-1", "ses-2")}
SOME = ("00", "03")  # participants that a run may be asked for
# What tells how long it took, and which memory: everything else in a sidecar depends on files and settings alone.
OF_THE_RUN = ("Seconds", "PeakMemoryMiB")


@dataclass(frozen=True)
class Study:
    """A BIDS data set of small heads, and a folder for its results beside it."""

    root: Path
    model: Path
    output: Path

    def command(self, *arguments: str) -> list[str]:
        target = ("--target", str(self.root.with_name("target.nii.gz")), "--model", str(self.model), "--force")
        return [str(self.root), str(self.output), "participant", *target, "--skip-bids-validation", *arguments]

    def start(self, participants: Sequence[str] = (), *, reports: bool) -> subprocess.Popen:
        environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
        asked = ("--participant-label", *participants) if participants else ()
        asked = (*asked, "--reports" if reports else "--no-reports")
        command = [sys.executable, "-m", "hail_mri.apps.bids.cli", *self.command("--nprocs", "2", *asked)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    @property
    def n_scans(self) -> int:
        return len(list(self.root.rglob("*_T1w.nii.gz")))

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of the results, by their paths."""
        paths = sorted(self.output.glob("sub-*/**/[!.]*.nii.gz"))
        return {self.relative(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    @property
    def sidecars(self) -> dict[str, dict]:
        """What the sidecars tell of files and settings, by their paths."""
        told = {path: json.loads(path.read_text()) for path in sorted(self.output.glob("sub-*/**/[!.]*.json"))}
        return {self.relative(path): {k: v for k, v in t.items() if k not in OF_THE_RUN} for path, t in told.items()}

    @property
    def pages(self) -> dict[str, str]:
        """The last word of each report, by their paths."""
        paths = sorted(self.output.glob("sub-*/**/[!.]*.html")) + sorted(self.output.glob("sub-*.html"))
        return {self.relative(path): path.read_text(encoding="utf-8").split()[-1] for path in paths}

    @property
    def rows(self) -> list[dict[str, str]]:
        path = self.output / "harmonized.tsv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return sorted(csv.DictReader(file, dialect="excel-tab"), key=lambda row: row["output"])

    def relative(self, path: Path) -> str:
        return path.relative_to(self.output).as_posix()


@pytest.fixture(scope="module")
def raw(heads, tmp_path_factory) -> Path:
    """A data set of five scans of four participants; nothing is to be written into it."""
    root = tmp_path_factory.mktemp("study") / "raw"
    shutil.copy(heads / "target.nii.gz", root.with_name("target.nii.gz"))
    names = [
        (f"sub-{number:02d}", session) for number in range(4) for session in SESSIONS.get(f"sub-{number:02d}", ("",))
    ]
    for (subject, session), source in zip(names, sorted((heads / "in").iterdir()), strict=False):
        path = root / subject / session / "anat" / f"{'_'.join(filter(None, (subject, session)))}_T1w.nii.gz"
        path.parent.mkdir(parents=True)
        shutil.copy(source, path)
    (root / "dataset_description.json").write_text(json.dumps({"Name": "killed", "BIDSVersion": "1.10.0"}))
    return root


@pytest.fixture(scope="module")
def undisturbed(raw, weights) -> Study:
    """The study as one process makes it in one go."""
    study = Study(raw, weights, raw.with_name("undisturbed"))
    assert main(study.command("--nprocs", "0")) == 0
    return study


@pytest.mark.slow
def test_a_study_whose_runs_are_killed_at_random_moments_ends_as_an_undisturbed_one(undisturbed):
    study = replace(undisturbed, output=undisturbed.output.with_name("out"))
    chance = random.Random(N_KILLS)
    killed, number = 0, itertools.count()
    while killed < N_KILLS:
        run = study.start(SOME if chance.random() < 0.25 else (), reports=chance.random() < 0.25)
        kills.wait_for_a_moment(run, study.output, chance, WORK)
        killed += kill_something(run, chance)
        assert_nothing_is_truncated(study, undisturbed)
        if len(study.hashes) == study.n_scans:  # begin anew, elsewhere
            finish(study, undisturbed, reports=False)
            study.output.rename(study.output.with_name(f"done-{next(number)}"))

    finish(study, undisturbed, reports=True)
    assert study.pages == undisturbed.pages
    assert [row["report"] for row in study.rows] == [row["report"] for row in undisturbed.rows]
    assert {path.name for path in kills.hidden_files(study.output)} <= {".bidsignore"}
    assert not list(study.output.glob(".hail-mri/claims/*"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hail_mri.report.study.measures.MODEL", str(study.model))
        assert main([str(study.root), str(study.output), "group"]) == 0


def kill_something(run: subprocess.Popen, chance: random.Random) -> int:
    """Kill a run, or a worker, or first a worker and then the run; return how many of them were alive."""
    choice = chance.choice(("run", "worker", "both"))
    if choice == "worker":
        return kills.kill_worker(run, chance)
    n_workers = kills.kill_a_worker(run, chance) if choice == "both" else 0
    time.sleep(chance.uniform(0.0, WORK) if n_workers else 0.0)
    return n_workers + kills.kill_run(run)


def finish(study: Study, undisturbed: Study, *, reports: bool) -> None:
    run = study.start(reports=reports)
    _, words = run.communicate(timeout=kills.SECONDS)
    assert run.returncode == 0, words
    assert_complete(study, undisturbed)


def assert_nothing_is_truncated(study: Study, undisturbed: Study) -> None:
    hashes = study.hashes if study.output.exists() else {}
    assert hashes == {name: undisturbed.hashes[name] for name in hashes}
    sidecars = study.sidecars
    assert sidecars == {name: undisturbed.sidecars[name] for name in sidecars}
    assert {name.replace(".nii.gz", ".json") for name in hashes} <= set(sidecars)
    assert set(study.pages.values()) <= {"</html>"}


def assert_complete(study: Study, undisturbed: Study) -> None:
    assert study.hashes == undisturbed.hashes
    assert study.sidecars == undisturbed.sidecars
    assert {row["status"] for row in study.rows} <= {"done", "done already"}
    columns = ("source", "output", "subject", "session", "source_sha256", "target_sha256", "result_sha256")
    told = [[row[column] for column in columns] for row in study.rows]
    assert told == [[row[column] for column in columns] for row in undisturbed.rows]
    assert {state.status for state in read_states(study.output)} == {"done"}
