from pathlib import Path

import pytest

from hail_mri.apps.bids.mask_files import BRAIN, LESION, mask_of_name, mask_roots
from hail_mri.errors import InputError, MissingFileError

pytest.importorskip("bids2table")


def mask_of(name):
    return mask_of_name(Path("m"), Path("m/sub-01/anat", name))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("sub-01_label-L_mask.nii.gz", LESION, id="the label that BIDS reserves"),
        pytest.param("sub-01_space-orig_label-L_desc-T1lesion_mask.nii.gz", LESION, id="ATLAS"),
        pytest.param("sub-01_label-lesion_roi.nii", LESION, id="roi"),
        pytest.param("sub-01_T1w_label-lesion_roi.nii.gz", LESION, id="fMRIPrep's lesions"),
        pytest.param("sub-01_desc-lesion_mask.nii.gz", LESION, id="the example of BIDS"),
        pytest.param("sub-01_label-tumor_mask.nii.gz", LESION, id="its later example"),
        pytest.param("sub-01_desc-brain_mask.nii.gz", BRAIN, id="brain"),
    ],
)
def test_a_mask_in_the_space_of_its_scan_is_taken(name, kind):
    mask = mask_of(name)

    assert (mask.kind, mask.source, mask.reason) == (kind, {"sub": "01"}, "")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("sub-01_label-GM_mask.nii.gz", id="another tissue"),
        pytest.param("sub-01_label-GM_desc-brain_mask.nii.gz", id="tissue of the brain"),
        pytest.param("sub-01_mask.nii.gz", id="of nothing"),
        pytest.param("sub-01_label-L_dseg.nii.gz", id="segmentation"),
        pytest.param("sub-01_label-L_mask.json", id="sidecar"),
        pytest.param("sub-01_hemi-L_mask.nii.gz", id="left"),
    ],
)
def test_what_is_no_mask_of_lesions_or_of_the_brain_is_none(name):
    assert mask_of(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("sub-01_space-MNI152NLin2009aSym_label-L_mask.nii.gz", "another space", id="space"),
        pytest.param("sub-01_res-2_label-L_mask.nii.gz", "res-2 in its name", id="resolution"),
        pytest.param("sub-01_acq-spc3p2_run-4_T2w_desc-lesion_mask.nii.gz", "T2w in its name", id="other image"),
        pytest.param("sub-01_desc-lesionAcute_mask.nii.gz", "whole lesion", id="part of it"),
        pytest.param("sub-01_label-nonlesion_mask.nii.gz", "whole lesion", id="the contrary"),
        pytest.param("sub-01_label-GM_desc-lesion_mask.nii.gz", "whole lesion", id="a tissue, too"),
    ],
)
def test_a_lesion_mask_that_is_not_taken_says_why(name, said):
    mask = mask_of(name)

    assert mask.kind == LESION
    assert said in mask.reason


def test_masks_are_looked_for_in_the_data_set_its_derivatives_and_those_given(make_dataset, tmp_path):
    for name in ("raw", "raw/derivatives/b", "raw/derivatives/a", "raw/derivatives/out", "masks"):
        make_dataset("sub-01/anat/sub-01_T1w.nii.gz", folder=name) if name != "raw" else make_dataset()
    raw, beside = tmp_path / "raw", tmp_path / "raw/derivatives"
    (tmp_path / "link").symlink_to(beside / "b")

    roots = mask_roots(raw, [tmp_path / "masks", tmp_path / "link"], beside / "out")

    assert roots == [raw, beside / "a", beside / "b", tmp_path / "masks"]


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        pytest.param("gone", MissingFileError, "gone does not exist", id="missing"),
        pytest.param("empty", InputError, "has no folders of subjects", id="empty"),
        pytest.param("file", InputError, "has no folders of subjects", id="file"),
    ],
)
def test_a_data_set_of_masks_that_is_none_is_refused(name, kind, said, make_dataset, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")

    with pytest.raises(kind, match=said):
        mask_roots(make_dataset(), [tmp_path / name], tmp_path / "out")
