"""Which mask is of which scan, by names alone; images are empty."""

import pytest

from hail_mri.apps.bids.dataset import open_dataset
from hail_mri.apps.bids.mask_files import BRAIN, LESION, mask_roots
from hail_mri.apps.bids.masks import find_masks

pytest.importorskip("bids2table")

MASKS = "raw/derivatives/masks"


@pytest.fixture
def found(make_dataset, tmp_path):
    """Return a function that writes scans and masks by their names, and finds which are whose."""

    def find(scans, masks, kinds=(LESION, BRAIN)):
        root = make_dataset(*map(place, scans))
        make_dataset(*map(place, masks), folder=MASKS)
        dataset = open_dataset(root)
        return find_masks(dataset.scans, mask_roots(root, [], tmp_path / "out"), kinds)

    return find


def place(name):
    """Return where a file of a data set is, by its name."""
    folders = [part for part in name.split("_") if part.startswith(("sub-", "ses-"))]
    return "/".join([*folders, "anat", f"{name}.nii.gz"])


def names_of(masks):
    return {
        scan.path.name.removesuffix(".nii.gz"): {kind: path.name.removesuffix(".nii.gz") for kind, path in own.items()}
        for scan, own in masks.of_scan.items()
    }


@pytest.mark.parametrize(
    ("scan", "mask"),
    [
        pytest.param("sub-01_T1w", "sub-01_label-L_mask", id="subject"),
        pytest.param("sub-01_ses-2_T1w", "sub-01_ses-2_space-orig_label-L_mask", id="session"),
        pytest.param("sub-01_run-1_T1w", "sub-01_run-01_label-L_mask", id="run with zeros"),
        pytest.param("sub-01_acq-a_run-1_T1w", "sub-01_acq-a_run-1_label-L_mask", id="all"),
        pytest.param("sub-01_acq-a_T1w", "sub-01_label-L_mask", id="the only scan it may be of"),
    ],
)
def test_a_mask_is_of_the_scan_whose_entities_it_has(scan, mask, found):
    masks = found([scan, "sub-02_ses-2_T1w"], [mask])

    assert names_of(masks) == {scan: {LESION: mask}}
    assert masks.refused == {}
    assert masks.left_out == ()
    assert [root.name for root in masks.roots] == ["masks"]


@pytest.mark.parametrize(
    ("scan", "mask"),
    [
        pytest.param("sub-1_T1w", "sub-01_label-L_mask", id="subject"),
        pytest.param("sub-1_ses-1_T1w", "sub-1_ses-2_label-L_mask", id="session"),
        pytest.param("sub-1_ses-1_T1w", "sub-1_label-L_mask", id="no session"),
        pytest.param("sub-1_T1w", "sub-1_run-1_label-L_mask", id="run of none"),
        pytest.param("sub-1_run-1_T1w", "sub-1_label-L_mask", id="no run"),
        pytest.param("sub-1_T1w", "sub-1_acq-b_label-L_mask", id="acquisition"),
    ],
)
def test_a_mask_of_another_scan_is_not_taken(scan, mask, found):
    assert found([scan], [mask]).of_scan == {}


def test_a_mask_that_names_a_scan_in_full_is_of_no_other(found):
    masks = found(
        ["sub-01_T1w", "sub-01_acq-a_T1w"],
        ["sub-01_label-L_mask", "sub-01_acq-a_label-L_mask", "sub-01_desc-brain_mask"],
    )

    assert names_of(masks) == {
        "sub-01_T1w": {LESION: "sub-01_label-L_mask", BRAIN: "sub-01_desc-brain_mask"},
        "sub-01_acq-a_T1w": {LESION: "sub-01_acq-a_label-L_mask"},
    }


def test_scans_of_which_a_mask_may_be_either_are_refused_and_named(found):
    masks = found(
        ["sub-01_acq-a_T1w", "sub-01_acq-b_T1w", "sub-02_T1w"], ["sub-01_label-L_mask", "sub-02_label-L_mask"]
    )

    assert set(names_of(masks)) == {"sub-02_T1w"}
    assert {scan.entities["acq"] for scan in masks.refused} == {"a", "b"}
    for reason in masks.refused.values():
        assert "sub-01_label-L_mask.nii.gz does not tell of which scan" in reason
        assert "sub-01_acq-a_T1w.nii.gz or sub-01_acq-b_T1w.nii.gz" in reason


def test_a_scan_with_two_masks_of_one_kind_is_refused_and_both_are_named(found):
    masks = found(
        ["sub-01_T1w", "sub-02_T1w"], ["sub-01_label-L_mask", "sub-01_label-lesion_roi", "sub-02_label-L_mask"]
    )

    assert set(names_of(masks)) == {"sub-02_T1w"}
    ((scan, reason),) = masks.refused.items()
    assert scan.subject == "01"
    assert "it has 2 lesion masks, expected one" in reason
    assert "sub-01_label-L_mask.nii.gz and " in reason
    assert "sub-01_label-lesion_roi.nii.gz" in reason


def test_only_kinds_that_are_asked_for_are_found(found):
    masks = found(["sub-01_T1w"], ["sub-01_label-L_mask", "sub-01_desc-brain_mask"], kinds=[BRAIN])

    assert names_of(masks) == {"sub-01_T1w": {BRAIN: "sub-01_desc-brain_mask"}}


def test_lesion_masks_that_are_not_taken_are_warned_of_once_for_each_reason(found):
    masks = found(
        ["sub-01_T1w", "sub-02_T1w"],
        [
            "sub-01_space-MNI_label-L_mask",
            "sub-02_space-MNI_label-L_mask",
            "sub-01_run-2_label-L_mask",
            "sub-01_space-MNI_desc-brain_mask",
        ],
    )

    said = masks.warnings({"01", "02"})

    assert len(said) == 2
    assert any("no T1-weighted scan has the entities" in warning for warning in said)
    assert any("another space" in warning and "nor are 1 more for this reason" in warning for warning in said)
    assert masks.warnings({"03"}) == []


@pytest.mark.parametrize(
    "name",
    [
        "sub-01_lesion_mask",
        "sub-01_T1w_lesion_mask",
        "sub-01_T1w_lesion",
        "sub-01_label-L_dseg",
        "sub-01_label-lesion_dseg",
        "sub-01_label-lesion_probseg",
        "sub-01_desc-Tumour_seg",
    ],
)
def test_what_may_be_a_lesion_mask_by_another_name_is_warned_of(name, found):
    masks = found(["sub-01_T1w"], [name])

    (said,) = masks.warnings({"01"})
    assert f"{name}.nii.gz is not taken as a lesion mask: masks are called otherwise, " in said
    assert masks.of_scan == {}
    assert masks.warnings({"02"}) == []


@pytest.mark.parametrize(
    "name",
    [
        "sub-tumor01_label-GM_probseg",
        "sub-tumor01_hemi-L_mask",
        "sub-tumor01_desc-lesionfilled_T1w",
        "sub-tumor01_mask",
    ],
)
def test_what_does_not_speak_of_a_lesion_or_is_no_mask_is_not_warned_of(name, found):
    assert found(["sub-tumor01_T1w"], [name]).left_out == ()


def test_names_of_lesions_are_nothing_where_no_lesion_masks_are_wanted(found):
    assert found(["sub-01_T1w"], ["sub-01_lesion_mask"], kinds=[BRAIN]).left_out == ()
