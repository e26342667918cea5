import gzip

import nibabel as nib
import numpy as np
import pytest
import torch

from hail_mri.errors import InputError, MissingFileError
from hail_mri.simulation.label_maps import find_label_maps, label_map_from_labels, load_label_map
from hail_mri.simulation.tissues import INDEX_OF, SOFT_TISSUE


def write_labels(labels, path, affine=None):
    nib.save(nib.Nifti1Image(labels.astype(np.int16), np.diag([4, 4, 4, 1]) if affine is None else affine), path)
    return path


def test_labels_become_tissues(ball):
    points = torch.tensor([[0.0, 0, 110 - 18 * 4], [0, 0, 110 - 18 * 4 + 11 * 4], [0, 0, 110 - 4 * 0.6], [0, 0, 500]])

    tissue = ball.at(points).tolist()

    assert tissue == [INDEX_OF["white_matter"], INDEX_OF["cortex"], SOFT_TISSUE, 0]


def test_the_vertex_is_110_mm_above_the_origin(ball):
    assert ball.origin[2] + (ball.tissue.shape[2] - 1) * ball.spacing == pytest.approx(110)


@pytest.mark.parametrize("codes", [("L", "A", "S"), ("R", "P", "S"), ("S", "A", "R")])
def test_the_orientation_of_the_file_does_not_matter(ball, ball_labels, tmp_path, codes):
    image = nib.Nifti1Image(ball_labels.astype(np.int16), np.diag([4, 4, 4, 1]))
    ornt = nib.orientations.ornt_transform(nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(codes))
    nib.save(image.as_reoriented(ornt), tmp_path / "ball.nii.gz")

    assert torch.equal(load_label_map(tmp_path / "ball.nii.gz").tissue, ball.tissue)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda labels: np.where(labels == 2, 999, labels), r"no known FreeSurfer label: \[999\]", id="999"
        ),
        pytest.param(
            lambda labels: np.where(labels == 2, -2, labels), r"no known FreeSurfer label: \[-2\]", id="below 0"
        ),
        pytest.param(lambda labels: labels * 0.7, "no whole numbers", id="fractions"),
        pytest.param(lambda labels: np.where(labels == 2, np.nan, labels), "no whole numbers", id="NaN"),
        pytest.param(lambda labels: labels * 0, "holds no tissue", id="empty"),
        pytest.param(lambda labels: labels[0], "2 dimensions", id="2-D"),
    ],
)
def test_what_is_no_map_of_known_labels_is_refused(ball_labels, change, message):
    with pytest.raises(InputError, match=message):
        label_map_from_labels(change(ball_labels), (4.0, 4.0, 4.0), name="ball")


def test_anisotropic_maps_are_refused(ball_labels, tmp_path):
    path = write_labels(ball_labels, tmp_path / "flat.nii.gz", np.diag([1, 1, 3, 1]))

    with pytest.raises(InputError, match="voxels of 1 x 1 x 3 mm"):
        load_label_map(path)


def test_missing_and_damaged_files_are_named(ball_labels, tmp_path):
    path = write_labels(ball_labels, tmp_path / "cut.nii.gz")
    path.write_bytes(path.read_bytes()[:500])
    (tmp_path / "text.nii.gz").write_bytes(gzip.compress(b"no image"))

    with pytest.raises(MissingFileError, match=r"no label map at .*none\.nii"):
        load_label_map(tmp_path / "none.nii")
    for name in ("cut.nii.gz", "text.nii.gz"):
        with pytest.raises(InputError, match=f"{name} cannot be read"):
            load_label_map(tmp_path / name)


def test_a_folder_gives_its_label_maps_by_name(tmp_path):
    for name in ("b.nii.gz", "a.mgz", "c.nii", "notes.txt"):
        (tmp_path / name).touch()

    assert [path.name for path in find_label_maps(tmp_path)] == ["a.mgz", "b.nii.gz", "c.nii"]


def test_a_folder_without_label_maps_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no label map"):
        find_label_maps(tmp_path)
    with pytest.raises(MissingFileError, match="no folder of label maps"):
        find_label_maps(tmp_path / "none")


@pytest.mark.data
def test_real_label_maps_are_understood(data_dir):
    label_map = load_label_map(find_label_maps(data_dir / "anatomies")[0])

    assert label_map.spacing == 1.0
    assert (label_map.tissue == INDEX_OF["white_matter"]).sum() > 200_000
