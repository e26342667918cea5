"""What the README shows works as shown."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import hail_mri
from hail_mri.apps.cli import main
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.image.volume import Volume

README_PATH = Path(hail_mri.__file__).parents[2] / "README.md"


def head(brightness):
    """A bright ball with a darker core in noise, on 4 mm voxels: enough of a head for a snippet."""
    radius = np.linalg.norm(np.indices((48, 48, 48)) - 23.5, axis=0)
    signal = brightness * np.select([radius < 10, radius < 18], [0.5, 1.0], 0.0)
    real, imaginary = np.random.default_rng(0).normal(0, 0.02 * brightness, (2, 48, 48, 48))
    return Volume(np.hypot(signal + real, imaginary), np.diag([4.0, 4.0, 4.0, 1.0]))


@pytest.mark.skipif(not README_PATH.is_file(), reason="not run from a checkout")
def test_the_python_snippet_runs_and_writes_what_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_volume(head(1000), "scan.nii.gz")
    save_volume(head(300), "other_site.nii.gz")
    snippets = re.findall(r"```python\n(.*?)```", README_PATH.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(snippet, {})
    assert load_volume("scan_harmonized.nii.gz").shape == (48, 48, 48)


def commands():
    """Return every whole command that the README shows, from its snippets and its tables."""
    text = README_PATH.read_text(encoding="utf-8") if README_PATH.is_file() else ""
    snippets = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for snippet in snippets for line in snippet.splitlines() if line.startswith("hail-mri ")]
    lines += re.findall(r"`(hail-mri [a-z][^`]*)`", text)
    return list(dict.fromkeys(line for line in lines if "..." not in line))


@pytest.fixture(scope="module")
def site_dir(simulated_slab, tmp_path_factory):
    """Folder with the scans that the commands name: a slab of a head under all of the names."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "scans").mkdir()
    for n, name in enumerate(("scan", "other_site", "a", "b", "scans/sub-01")):
        save_volume(simulated_slab.with_data(simulated_slab.data * (1 + 0.01 * n)), folder / f"{name}.nii.gz")
    cells = (("source", "target", "harmonized"), ("scan.nii.gz", "other_site.nii.gz", "scan.nii.gz"))
    (folder / "pairs.tsv").write_text("".join("\t".join(line) + "\n" for line in cells))
    return folder


def test_there_are_commands_to_try():
    assert len(commands()) >= 6


@pytest.mark.skipif(not README_PATH.is_file(), reason="not run from a checkout")
@pytest.mark.parametrize("command", commands())
def test_the_commands_run_in_their_order(command, site_dir, monkeypatch):
    monkeypatch.chdir(site_dir)
    assert main([*shlex.split(command)[1:], *(["--overwrite"] if " -o " in command else [])]) == 0
