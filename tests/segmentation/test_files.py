import json

import nibabel as nib
import numpy as np
import pytest

from hail_mri.errors import InputError, OutputExistsError, UnwritableError
from hail_mri.image.volume import Volume
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.provenance.hashes import InputFile
from hail_mri.segmentation import files
from hail_mri.segmentation.files import SegmentationInputs, SegmentationPaths, require_paths_free, save_segmentation
from hail_mri.segmentation.segment import Segmentation

AFFINE = np.diag([1.0, 2.0, 3.0, 1.0])


@pytest.fixture
def segmentation():
    random = np.random.default_rng(0)
    labels = Volume(random.integers(0, 16, (9, 10, 11)), AFFINE)
    return Segmentation(
        labels,
        random.integers(0, 256, (16, 9, 10, 11), dtype=np.uint8),
        labels.with_data(labels.data > 3),
        {name: 1.5 * index for index, name in enumerate(TISSUE_CLASSES) if index},
        12.345,
        skull_stripped=False,
    )


@pytest.fixture
def inputs(tmp_path):
    scan = tmp_path / "scan.nii"
    scan.write_bytes(b"scan")
    return SegmentationInputs(InputFile.read(scan), None, "0" * 64, ("A warning.",))


@pytest.fixture
def paths(tmp_path):
    return SegmentationPaths(tmp_path / "out/a_dseg.nii.gz", tmp_path / "out/a_probseg.nii.gz", tmp_path / "a_mask.nii")


def test_all_that_is_asked_for_is_written_on_the_grid_of_the_scan(segmentation, inputs, paths, tmp_path):
    save_segmentation(segmentation, paths, inputs)

    labels, probabilities, mask = (nib.load(p) for p in (paths.labels, paths.probabilities, paths.brain_mask))
    assert labels.get_data_dtype() == probabilities.get_data_dtype() == mask.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(labels.get_fdata(), segmentation.labels.data)
    np.testing.assert_array_equal(mask.get_fdata(), segmentation.brain_mask.data)
    expected = np.moveaxis(segmentation.probabilities, 0, -1) / 255
    np.testing.assert_allclose(probabilities.get_fdata(), expected, atol=1e-6)
    for image in (labels, probabilities, mask):
        np.testing.assert_allclose(image.affine, AFFINE)
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == [
        "a_dseg.json", "a_dseg.nii.gz", "a_dseg.tsv", "a_mask.nii", "a_probseg.nii.gz", "scan.nii",
    ]  # fmt: skip


def test_the_table_has_index_name_and_volume_of_each_tissue(segmentation, inputs, paths):
    save_segmentation(segmentation, paths, inputs)

    rows = [line.split("\t") for line in paths.table.read_text(encoding="utf-8").splitlines()]
    assert rows[:3] == [["index", "name", "volume_ml"], ["1", "white_matter", "1.50"], ["2", "grey_matter", "3.00"]]
    assert len(rows) == len(TISSUE_CLASSES)


def test_the_sidecar_tells_of_what_and_whether_skull_stripped(segmentation, inputs, paths):
    save_segmentation(segmentation, paths, inputs)

    told = json.loads(paths.sidecar.read_text(encoding="utf-8"))
    assert told["Sources"] == ["../scan.nii"]
    assert told["SkullStripped"] is False
    assert told["BrainVolumeMl"] == 12.35 or told["BrainVolumeMl"] == 12.34
    assert told["Warnings"] == ["A warning."]


@pytest.mark.parametrize("step", ["save_bytes", "_write_table", "write_json"])
def test_a_failure_at_any_step_leaves_nothing_behind(segmentation, inputs, paths, tmp_path, monkeypatch, step):
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, step, fail)

    with pytest.raises(UnwritableError, match="No space left"):
        save_segmentation(segmentation, paths, inputs)
    assert [p.name for p in tmp_path.rglob("*")] == ["scan.nii"]


@pytest.mark.parametrize("existing", ["labels", "table", "sidecar", "probabilities", "brain_mask"])
def test_nothing_that_exists_is_replaced_unless_asked(paths, existing):
    path = getattr(paths, existing)
    path.parent.mkdir(exist_ok=True)
    path.write_text("precious")

    with pytest.raises(OutputExistsError, match=path.name):
        require_paths_free(paths, overwrite=False)
    require_paths_free(paths, overwrite=True)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (SegmentationPaths("a.nii", "p.txt"), "p.txt"),
        (SegmentationPaths("a.txt"), "a.txt"),
        (SegmentationPaths("a.nii", "a.nii"), "cannot both"),
        (SegmentationPaths("a.nii.gz", None, "a.nii.gz"), "cannot both"),
    ],
    ids=["probabilities no image", "labels no image", "same as labels", "mask same as labels"],
)
def test_names_that_cannot_be_are_refused(paths, message, tmp_path):
    inside = SegmentationPaths(
        *(None if p is None else tmp_path / p for p in (paths.labels, paths.probabilities, paths.brain_mask))
    )

    with pytest.raises(InputError, match=message):
        require_paths_free(inside, overwrite=True)
