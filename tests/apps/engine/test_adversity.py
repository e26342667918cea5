"""The command where a machine gives it less than it would like: no home, no network, no disk, no memory."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import hail_mri

N_SCANS = 6
CompletedText = subprocess.CompletedProcess[str]


@pytest.fixture
def harmonize(study, heads) -> Callable[..., CompletedText]:
    """Return a function that harmonizes the study by a shell that has taken something away before."""

    def run(*, before: str = "", workers: str = "2", output: Path | None = None, **variables: str) -> CompletedText:
        command = [sys.executable, "-m", "hail_mri", "harmonize", str(heads / "in"), "--target", str(study.target)]
        command += ["-o", str(output or study.output), "--model", study.settings.model, "--force"]
        command += ["--workers", workers]
        package = str(Path(hail_mri.__file__).parents[1])
        return subprocess.run(
            ["bash", "-c", f"{before} {shlex.join(command)}"],
            env=os.environ | {"PYTHONPATH": package} | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def assert_no_trace(done: CompletedText) -> None:
    assert "Traceback" not in done.stderr
    assert all(line.startswith("hail-mri: ") for line in done.stderr.splitlines()), done.stderr


def test_a_home_that_cannot_be_written_to_does_not_matter(study, undisturbed, harmonize):
    # /proc is read-only for root, too.
    done = harmonize(HOME="/proc", XDG_CACHE_HOME="/proc/cache", TORCH_HOME="/proc/torch", MPLCONFIGDIR="/proc/mpl")

    assert done.returncode == 0, done.stderr
    assert_no_trace(done)
    assert study.hashes == undisturbed.hashes


def test_no_network_is_needed(study, undisturbed, harmonize):
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rn", "true"], check=False).returncode:
        pytest.skip("processes without a network are not permitted here")

    done = harmonize(before="unshare -rn")

    assert done.returncode == 0, done.stderr
    assert study.hashes == undisturbed.hashes


def test_files_that_may_not_be_large_fail_their_scans_and_leave_nothing_half_written(study, undisturbed, harmonize):
    n_blocks = 20  # of 1024 bytes: states and sidecars fit, results do not

    done = harmonize(before=f"ulimit -f {n_blocks};")

    assert done.returncode == 70, done.stderr
    assert_no_trace(done)
    assert {row["status"] for row in study.rows} == {"failed"}
    assert all("could not be written (File too large)" in row["message"] for row in study.rows)
    assert not study.hashes
    assert not [path for path in study.output.iterdir() if path.name not in ("harmonized.tsv", ".hail-mri")]
    assert harmonize().returncode == 0
    assert study.hashes == undisturbed.hashes


def test_a_full_disk_is_said_and_what_was_complete_is_kept(study, undisturbed, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    size = 2 * next(iter(undisturbed.output.glob("*.nii.gz"))).stat().st_size + 120_000
    mount = f"mount -t tmpfs -o size={size} disk {disk}"
    if subprocess.run(["unshare", "-rm", "bash", "-c", mount], check=False, capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")
    keep = f"cp -r {disk}/out {tmp_path}/kept"

    done = subprocess.run(
        [
            "unshare",
            "-rm",
            "bash",
            "-c",
            f"{mount} && {command_of(study, disk / 'out')}; status=$?; {keep}; exit $status",
        ],
        env=os.environ | {"PYTHONPATH": str(Path(hail_mri.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode in (2, 70), done.stderr
    assert_no_trace(done)
    assert "No space left on device" in done.stderr
    kept = sorted((tmp_path / "kept").glob("[!.]*.nii.gz"))
    assert 0 < len(kept) < N_SCANS
    assert all(path.read_bytes() == (undisturbed.output / path.name).read_bytes() for path in kept)


def command_of(study, output: Path) -> str:
    command = [sys.executable, "-m", "hail_mri", "harmonize", str(study.sources[0].parent)]
    command += ["--target", str(study.target), "-o", str(output), "--model", study.settings.model, "--force"]
    return shlex.join([*command, "--workers", "1"])


@pytest.mark.parametrize("mebibytes", [700, pytest.param(1500, marks=pytest.mark.slow)])
def test_a_limit_of_memory_is_said_whatever_it_stops(harmonize, mebibytes):
    done = harmonize(before=f"ulimit -v {mebibytes * 1024};", workers="1")

    assert done.returncode in (0, 2, 70), done.stderr
    assert_no_trace(done)
