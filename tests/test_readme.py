"""What the README shows works as shown."""

import re
from pathlib import Path

import numpy as np
import pytest

import hail_mri
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
