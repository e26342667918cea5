"""The command with real weights and the tree of files it leaves; one process of its own shows that it is one."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import hail_mri
from hail_mri.apps.cli import main
from hail_mri.image.nifti import load_volume

pytest.importorskip("hail_mri.harmonize.harmonizer")


@dataclass(frozen=True)
class Done:
    """What a call left behind."""

    status: int
    stderr: str


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Return a function that runs the command in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Done:
        return Done(main(arguments), capsys.readouterr().err)

    return run


def hail_mri_process(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # The package under test, installed or not.
    environment = os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])}
    command = [sys.executable, "-m", "hail_mri", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_site_is_harmonized_with_a_style_card_from_scans_to_results(call, tmp_path, make_scan, tree):
    for seed, name in enumerate(("in/sub-01_T1w.nii.gz", "in/sub-02_T1w.nii.gz", "target.nii.gz")):
        make_scan(tmp_path / name, seed=seed)
    (tmp_path / "in/sub-03_T1w.nii.gz").write_bytes(b"broken")

    refused = call("style", "target.nii.gz", "-o", "site.style.json")
    carded = call("style", "target.nii.gz", "-o", "site.style.json", "--force")
    done = call("harmonize", "in", "--style", "site.style.json", "-o", "out", "--force")

    # A ball in a shell is no head.
    assert refused.status == 2
    assert "target.nii.gz fails" in refused.stderr
    assert "familiarity" in refused.stderr
    assert carded.status == 0
    assert "hail-mri: target.nii.gz: fail familiarity" in carded.stderr
    assert done.status == 70, done.stderr
    assert "Traceback" not in done.stderr
    assert tree(tmp_path / "out") == [
        "harmonized.tsv",
        "sub-01_T1w.json",
        "sub-01_T1w.nii.gz",
        "sub-02_T1w.json",
        "sub-02_T1w.nii.gz",
    ]
    source, result = load_volume(tmp_path / "in/sub-01_T1w.nii.gz"), load_volume(tmp_path / "out/sub-01_T1w.nii.gz")
    assert result.grid.shape == source.grid.shape
    np.testing.assert_array_equal(result.affine, source.affine)
    sidecar = json.loads((tmp_path / "out/sub-01_T1w.json").read_text(encoding="utf-8"))
    assert len(sidecar["Sha256"]["Weights"]) == 64
    assert {"fail", "ok"} <= {check["verdict"] for check in sidecar["Checks"]["Source"]}


def test_the_same_call_gives_the_same_bytes(call, tmp_path, make_scan):
    make_scan(tmp_path / "a.nii.gz", seed=1, spacing=4.0)
    make_scan(tmp_path / "t.nii.gz", seed=2, spacing=4.0)

    for name in ("x.nii.gz", "y.nii.gz"):
        files = ("a.nii.gz", "--target", "t.nii.gz", "-o", name)
        done = call("harmonize", *files, "--force")
        assert done.status == 0, done.stderr

    assert (tmp_path / "x.nii.gz").read_bytes() == (tmp_path / "y.nii.gz").read_bytes()


def test_a_wrong_request_is_one_line_of_the_process(tmp_path, make_scan):
    make_scan(tmp_path / "t.nii.gz")

    done = hail_mri_process("harmonize", "gone.nii.gz", "--target", "t.nii.gz", "-o", "x.nii.gz", folder=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("hail-mri: error: gone.nii.gz does not exist")
    assert len(done.stderr.splitlines()) == 1


def test_names_with_blanks_and_any_letters_are_names_like_others(call, tmp_path, make_scan, tree):
    make_scan(tmp_path / "étude 1/scän.nii.gz", seed=1, spacing=4.0)
    make_scan(tmp_path / "t.nii.gz", seed=2, spacing=4.0)

    files = ("étude 1/scän.nii.gz", "--target", "t.nii.gz", "-o", "결과 1/脳.nii.gz")
    done = call("harmonize", *files, "--force")

    assert done.status == 0, done.stderr
    assert all("scän.nii.gz: " in line or "t.nii.gz: " in line for line in done.stderr.splitlines())
    assert tree(tmp_path / "결과 1") == ["脳.json", "脳.nii.gz"]


def test_the_package_run_as_a_module_is_the_command():
    folder = Path(hail_mri.__file__).parent

    assert hail_mri_process("--version", folder=folder).stdout == f"hail-mri {hail_mri.__version__}\n"
