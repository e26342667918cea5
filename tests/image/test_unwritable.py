"""What cannot be written is said, and nothing is left behind."""

import os

import numpy as np
import pytest

from hail_mri.errors import InputError, OutputExistsError, UnwritableError
from hail_mri.image.nifti import load_volume, save_volume
from hail_mri.image.volume import Volume


def listing(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_an_existing_file_is_kept_unless_asked(tmp_path, scan):
    path = tmp_path / "out.nii.gz"
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError, match="exists"):
        save_volume(scan, path)
    assert (listing(tmp_path), path.read_bytes()) == (["out.nii.gz"], b"precious")
    save_volume(scan, path, overwrite=True)
    np.testing.assert_array_equal(load_volume(path).data, scan.data)
    assert listing(tmp_path) == ["out.nii.gz"]


def test_a_scan_can_be_written_over_itself(tmp_path, scan):
    path = tmp_path / "scan.nii"
    save_volume(scan, path)
    volume = load_volume(path)
    save_volume(volume.with_data(volume.data + 1), path, overwrite=True)
    np.testing.assert_array_equal(load_volume(path).data, volume.data + 1)


@pytest.mark.parametrize(
    ("name", "error_class", "message"),
    [
        pytest.param("missing/out.nii.gz", UnwritableError, "does not exist", id="no such folder"),
        pytest.param("file/out.nii.gz", UnwritableError, "does not exist", id="a file in place of the folder"),
        pytest.param("folder.nii", InputError, "is a folder", id="a folder in place of the file"),
        pytest.param("x" * 300 + ".nii", UnwritableError, "File name too long", id="a name too long"),
        pytest.param("out.png", InputError, "must end in .nii or .nii.gz", id="another suffix"),
        pytest.param("out.mgz", InputError, "must end in .nii or .nii.gz", id="mgz"),
    ],
)
def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left_behind(tmp_path, scan, name, error_class, message):
    (tmp_path / "file").touch()
    (tmp_path / "folder.nii").mkdir()
    before = listing(tmp_path)
    with pytest.raises(error_class) as raised:
        save_volume(scan, tmp_path / name, overwrite=True)
    assert message in str(raised.value)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("name", ["out.nii", "out.nii.gz"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, name):
    """The limit on the size of a file stands for the disk: the kernel refuses the write halfway."""
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    volume = Volume(np.random.default_rng(0).normal(size=(40, 40, 40)), np.eye(4))
    (tmp_path / name).write_bytes(b"precious")
    handler, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(UnwritableError, match=r"could not be written \(File too large"):
            save_volume(volume, tmp_path / name, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert (listing(tmp_path), (tmp_path / name).read_bytes()) == ([name], b"precious")


def test_a_folder_without_permission_is_refused(tmp_path, scan):
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(UnwritableError, match="Permission denied"):
        save_volume(scan, tmp_path / "out.nii.gz")


def test_an_interruption_leaves_nothing_behind(tmp_path, scan, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_volume(scan, tmp_path / "out.nii.gz")
    assert listing(tmp_path) == []
