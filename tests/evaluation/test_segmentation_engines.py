"""Engines that take label maps which are finished: FreeSurfer's on its own grid, and those on the scan's."""

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import affine_transform

from hail_mri.errors import InputError
from hail_mri.evaluation.segmentation_engines import NATIVE, ScanFiles, find_tissues

APARC = {200: 24, 500: 1030, 700: 41}  # intensity of a simulated head, and the label that aparc+aseg might have there


@pytest.fixture
def head_files(make_head, tmp_path):
    """An oblique scan of 4 mm and its aparc+aseg on the grid of FreeSurfer: 1 mm (here 2), LIA."""
    scan = make_head(shape=(40, 48, 50), spacing=4.0, rotation=(5, -8, 10), noise=0)
    nib.save(nib.Nifti1Image(scan.data, scan.affine), tmp_path / "scan.nii.gz")
    labels = np.zeros(scan.shape, np.int32)
    for intensity, label in APARC.items():
        labels[scan.data == intensity] = label
    to_conformed = np.array([[-2.0, 0, 0, 90], [0, 0, 2, -100], [0, -2, 0, 100], [0, 0, 0, 1]])
    there = np.linalg.inv(scan.affine) @ to_conformed
    conformed = affine_transform(labels, there[:3, :3], there[:3, 3], output_shape=(92, 102, 102), order=0)
    nib.save(nib.MGHImage(conformed.astype(np.int32), to_conformed), tmp_path / "aparc+aseg.mgz")
    nib.save(nib.Nifti1Image(labels, scan.affine), tmp_path / "native.nii.gz")
    return tmp_path, labels


def test_finished_labels_of_freesurfer_are_brought_to_the_scan(head_files):
    folder, labels = head_files
    found = find_tissues(ScanFiles(folder / "scan.nii.gz", labels=folder / "aparc+aseg.mgz"), "freesurfer")
    for number, tissue in ((24, 1), (1030, 2), (41, 3)):
        one, other = found.tissues == tissue, labels == number
        assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.93
    assert found.made_on.startswith("grid of 92 x 102 x 102 voxels of 2 x 2 x 2 mm")


def test_labels_on_the_scans_grid_are_taken_as_they_are(head_files):
    folder, labels = head_files
    files = ScanFiles(folder / "scan.nii.gz", labels=folder / "native.nii.gz")
    for engine in ("freesurfer", "given"):
        found = find_tissues(files, engine)
        assert (found.made_on, found.scheme) == (NATIVE, "" if engine == "freesurfer" else "FreeSurfer's numbers")
        np.testing.assert_array_equal(found.tissues == 3, labels == 41)


def test_given_labels_on_another_grid_are_refused(head_files):
    folder, _ = head_files
    with pytest.raises(InputError, match="another grid"):
        find_tissues(ScanFiles(folder / "scan.nii.gz", labels=folder / "aparc+aseg.mgz"), "given")


def test_finished_labels_of_somebody_lying_elsewhere_are_refused(head_files):
    folder, _ = head_files
    image = nib.load(folder / "aparc+aseg.mgz")
    moved = image.affine.copy()
    moved[2, 3] += 100
    nib.save(nib.MGHImage(np.asarray(image.dataobj), moved), folder / "moved.mgz")
    with pytest.raises(InputError, match=r"% of the volume that .*moved.mgz labels lies in the scan"):
        find_tissues(ScanFiles(folder / "scan.nii.gz", labels=folder / "moved.mgz"), "freesurfer")


def test_an_engine_that_lacks_what_it_needs_says_what(head_files):
    scan = head_files[0] / "scan.nii.gz"
    with pytest.raises(InputError, match="brain mask"):
        find_tissues(ScanFiles(scan), "atropos")
    with pytest.raises(InputError, match="no labels"):
        find_tissues(ScanFiles(scan), "freesurfer")
