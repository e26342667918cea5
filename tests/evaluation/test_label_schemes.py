"""Which number is which tissue: FreeSurfer's, three tissues by brightness, and the names of BIDS."""

import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.evaluation.label_schemes import FREESURFER, THREE_TISSUES, scheme_of, scheme_of_file, three_tissues
from hail_mri.simulation.bids import write_tsv
from hail_mri.simulation.tissues import INDEX_OF, TISSUES

# FreeSurferColorLUT.txt: number, name, tissue (1 fluid, 2 grey, 3 white, 0 none of these)
LOOK_UP = [
    (2, "Left-Cerebral-White-Matter", 3),
    (3, "Left-Cerebral-Cortex", 2),
    (4, "Left-Lateral-Ventricle", 1),
    (7, "Left-Cerebellum-White-Matter", 3),
    (10, "Left-Thalamus", 2),
    (16, "Brain-Stem", 0),
    (24, "CSF", 1),
    (53, "Right-Hippocampus", 2),
    (77, "WM-hypointensities", 3),
    (255, "CC_Anterior", 3),
    (1035, "ctx-lh-insula", 2),
    (2002, "ctx-rh-caudalanteriorcingulate", 2),
    (3001, "wm-lh-bankssts", 3),
    (11175, "ctx_lh_S_temporal_transverse", 2),
]


@pytest.mark.parametrize(("number", "tissue"), [pytest.param(n, t, id=name) for n, name, t in LOOK_UP])
def test_freesurfers_numbers_are_known(number, tissue):
    labels = np.array([number, 41])
    assert three_tissues(labels, scheme_of(labels)).tolist() == [tissue, 3]


@pytest.fixture
def truth_dir(tmp_path):
    write_tsv([{"index": n, "name": tissue.name} for n, tissue in enumerate(TISSUES)], tmp_path / "dseg.tsv")
    (tmp_path / "sub-01" / "anat").mkdir(parents=True)
    return tmp_path


def test_the_table_of_a_simulated_cohort_names_its_labels(truth_dir):
    labels = np.array([INDEX_OF[name] for name in ("cortex", "white_matter", "csf", "fat", "thalamus")])
    path = truth_dir / "sub-01" / "anat" / "sub-01_dseg.nii.gz"
    assert three_tissues(labels, scheme_of_file(path, labels)).tolist() == [2, 3, 1, 0, 2]


def test_a_table_of_another_kind_of_file_does_not_count(truth_dir):
    labels = np.array([1, 2, 3])
    assert scheme_of_file(truth_dir / "sub-01" / "labels.nii.gz", labels) is THREE_TISSUES
    assert scheme_of_file(truth_dir / "sub-01" / "aseg.mgz", np.array([2, 41])) is FREESURFER


def test_the_table_that_segment_writes_names_its_labels_and_another_of_that_name_does_not(tmp_path):
    labels = np.array([1, 2, 3, 7])  # white matter, grey matter, striatum and fluid of `hail-mri segment`
    (tmp_path / "tissues.tsv").write_text("index\tname\n1\twhite_matter\n2\tgrey_matter\n3\tstriatum\n7\tcsf\n")
    assert three_tissues(labels, scheme_of_file(tmp_path / "tissues.nii.gz", labels)).tolist() == [3, 2, 2, 1]
    (tmp_path / "tissues.tsv").write_text("source\ttarget\n")
    with pytest.raises(
        InputError, match=r"tissues.nii.gz has the labels 1, 2, 3, 7: .* not surely FreeSurfer's"
    ) as told:
        scheme_of_file(tmp_path / "tissues.nii.gz", labels)
    assert "dseg.tsv" in told.value.hint


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([1, 2, 3, 4], id="fluid, grey, white and deep grey"),
        pytest.param([1, 2, 3, 4, 5, 6], id="six tissues of SPM"),
        pytest.param([2, 3, 4, 24], id="four of FreeSurfer's numbers"),
        pytest.param(range(1, 101), id="an atlas of a hundred regions"),
    ],
)
def test_numbers_that_may_mean_anything_are_refused(labels):
    with pytest.raises(InputError, match="not surely FreeSurfer's"):
        scheme_of(np.array([0, *labels]))


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([2, 3, 41, 42], id="both hemispheres"),
        pytest.param([2, 3, 4, 5, 7, 8, 10, 11, 12, 13], id="many of one"),
        pytest.param([41, 1030, 24], id="aparc"),
    ],
)
def test_numbers_that_only_freesurfer_has_are_understood(labels):
    assert scheme_of(np.array([0, *labels])) is FREESURFER


def test_a_table_that_names_no_tissue_is_told(tmp_path):
    (tmp_path / "scan_dseg.tsv").write_text("index\tname\n1\tliver\n")
    with pytest.raises(InputError, match="names no grey matter"):
        scheme_of_file(tmp_path / "scan_dseg.nii.gz", np.array([1]))
    (tmp_path / "scan_dseg.tsv").unlink()
    (tmp_path / "dseg.tsv").write_text("number\tname\n1\tcsf\n")
    with pytest.raises(InputError, match="index and name"):
        scheme_of_file(tmp_path / "scan_dseg.nii.gz", np.array([1]))
