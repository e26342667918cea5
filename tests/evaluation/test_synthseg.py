"""FreeSurfer's command as a program on the PATH: a stand-in with its command line, which is not the real one."""

import shlex
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from hail_mri.errors import InputError, MissingFileError
from hail_mri.evaluation import synthseg
from hail_mri.evaluation.segmentation_engines import ScanFiles, engine_version, find_tissues
from hail_mri.image.nifti import load_volume

# Labels by intensity on a grid of its own, of 1 mm, as SynthSeg has it; takes the options of mri_synthseg.
STAND_IN = """
import argparse, nibabel, numpy, scipy.ndimage
parser = argparse.ArgumentParser()
for name in ("--i", "--o", "--threads"):
    parser.add_argument(name)
parser.add_argument("--cpu", action="store_true")
asked = parser.parse_args()
assert asked.cpu and asked.threads == "1"
scan = nibabel.load(asked.i)
labels = numpy.array([0, 24, 42, 2])[numpy.digitize(scan.get_fdata(), [100, 300, 600])]
fine = numpy.kron(labels, numpy.ones((2, 2, 2), int))
affine = scan.affine @ numpy.array([[0.5, 0, 0, -0.25], [0, 0.5, 0, -0.25], [0, 0, 0.5, -0.25], [0, 0, 0, 1]])
nibabel.save(nibabel.Nifti1Image(fine.astype(numpy.int32), affine), asked.o)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that puts a program called mri_synthseg on the PATH."""

    def put(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "script.py").write_text(script)
        program = folder / "mri_synthseg"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(folder))}/script.py "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return put


@pytest.fixture
def scan_path(tmp_path):
    """A scan of 2 mm with blocks of fluid, grey and white matter, under a name that a shell would not take."""
    data = np.zeros((12, 14, 10), np.float32)
    for start, value in ((2, 200), (5, 500), (8, 800)):
        data[start : start + 3, 3:11, 2:8] = value
    path = tmp_path / "-my scan; $(touch here) 'é'.nii.gz"
    affine = np.array([[-2.0, 0, 0, 30], [0, 2, 0, -20], [0, 0, 2, 5], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def test_its_labels_come_to_the_scans_grid_and_to_three_tissues(install, scan_path):
    install(STAND_IN)
    found = find_tissues(ScanFiles(scan_path), "synthseg")
    expected = np.digitize(load_volume(scan_path).data, [100, 300, 600])
    np.testing.assert_array_equal(found.tissues, expected)
    assert found.made_on == "grid of 24 x 28 x 20 voxels of 1 x 1 x 1 mm, brought to the native grid"


def test_a_name_that_a_shell_would_run_is_only_a_name(install, scan_path, monkeypatch):
    install(STAND_IN)
    monkeypatch.chdir(scan_path.parent)
    synthseg.segment_by_synthseg(Path(scan_path.name))
    assert not Path("here").exists()


def test_the_version_is_that_of_freesurfers_stamp_or_else_of_the_command(install, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine_version("synthseg") == ""
    install(STAND_IN)
    assert len(engine_version("synthseg")) == 64
    (tmp_path / "build-stamp.txt").write_text("freesurfer-linux-7.4.1\n")
    assert engine_version("synthseg") == "freesurfer-linux-7.4.1"


def test_where_freesurfer_is_not_installed_it_is_told(scan_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="not on the PATH") as caught:
        synthseg.segment_by_synthseg(scan_path)
    assert "SetUpFreeSurfer.sh" in caught.value.hint


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("raise SystemExit('ERROR: no licence')", "exit status 1; it said: ERROR: no licence", id="fails"),
        pytest.param("print('done')", "left no label map .*; it said: done", id="nothing written"),
        pytest.param(
            STAND_IN.replace("fine.astype(numpy.int32)", "0 * fine.astype(numpy.int32)"), "no label but 0", id="empty"
        ),
        pytest.param(STAND_IN.replace("scan.affine @", "scan.affine + 1000 *"), "0 % of the volume", id="elsewhere"),
        pytest.param(STAND_IN.replace("[0, 24, 42, 2]", "[0, 1, 2, 3]"), "FreeSurfer's numbers", id="other numbers"),
    ],
)
def test_what_goes_wrong_in_it_is_told_in_its_words(install, scan_path, script, said):
    install(script)
    with pytest.raises(InputError, match=said):
        find_tissues(ScanFiles(scan_path), "synthseg")


def test_a_program_that_hangs_is_stopped_with_what_it_has_started(install, scan_path, tmp_path):
    install(
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', 'import time, pathlib; time.sleep(4); "
        f'pathlib.Path("{tmp_path}/late").touch()\'])'
    )
    start = time.monotonic()
    with pytest.raises(InputError, match="stopped after 1 s"):
        synthseg.segment_by_synthseg(scan_path, seconds=1.0)
    assert time.monotonic() - start < 4
    time.sleep(4)
    assert not (tmp_path / "late").exists()


def test_a_scan_that_is_not_there_is_told(install, tmp_path):
    install(STAND_IN)
    with pytest.raises(MissingFileError, match="no scan"):
        synthseg.segment_by_synthseg(tmp_path / "gone.nii.gz")
