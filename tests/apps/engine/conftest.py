"""A study of small heads for real processes."""

import csv
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hail_mri.apps.engine.jobs import ScanJob
from hail_mri.apps.engine.run import run_jobs
from hail_mri.apps.engine.workers import Workers
from hail_mri.apps.requests import ScanRequest
from hail_mri.apps.result_table import Outcome
from hail_mri.apps.scan_files import TargetFiles
from hail_mri.harmonize.settings import HarmonizeSettings
from hail_mri.provenance.folder_names import RESULT_TABLE


@dataclass
class Study:
    """Jobs of a folder, and a run of them."""

    sources: Sequence[Path]
    target: Path
    settings: HarmonizeSettings
    output: Path

    @property
    def table_path(self) -> Path:
        return self.output / RESULT_TABLE

    @property
    def jobs(self) -> list[ScanJob]:
        target = TargetFiles(self.target, is_style_card=False)
        requests = [ScanRequest(source, self.output / source.name, label=str(source)) for source in self.sources]
        return [ScanJob(request, target, self.settings) for request in requests]

    def run(self, workers: Workers, **choices: bool) -> list[Outcome]:
        return run_jobs(self.jobs, self.table_path, workers, **{"overwrite": False} | choices)

    @property
    def rows(self) -> list[dict[str, str]]:
        with self.table_path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, dialect="excel-tab"))

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of the results, by name."""
        return {path.name: file_hash(path) for path in sorted(self.output.glob("[!.]*.nii.gz"))}


def file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def make_study(heads, weights) -> Callable[[Path], Study]:
    """Return a function that makes a study of all heads, with results in a folder."""

    def make(output: Path) -> Study:
        settings = HarmonizeSettings(model=str(weights), force=True)
        return Study(sorted((heads / "in").iterdir()), heads / "target.nii.gz", settings, output)

    return make


@pytest.fixture
def study(tmp_path, make_study) -> Study:
    return make_study(tmp_path / "out")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, make_study) -> Study:
    """The study as one process makes it in one go."""
    study = make_study(tmp_path_factory.mktemp("undisturbed"))
    assert [outcome.status for outcome in study.run(Workers(n_processes=0))] == ["done"] * len(study.sources)
    return study
