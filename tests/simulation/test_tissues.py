import pytest
import torch

from hail_mri.simulation.tissues import INDEX_OF, TISSUES, parameter_table, tissue_of_label

# What FreeSurfer's recon-all writes into aseg.mgz (FreeSurferColorLUT numbers).
ASEG_LABELS = {
    *(0, 2, 3, 4, 5, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 24, 26, 28, 30, 31, 41, 42, 43, 44, 46, 47, 49, 50, 51),
    *(52, 53, 54, 58, 60, 62, 63, 72, 77, 80, 85, 251, 252, 253, 254, 255),
}


def test_every_label_of_a_freesurfer_segmentation_is_some_tissue():
    assert set(tissue_of_label()) >= ASEG_LABELS


@pytest.mark.parametrize(
    ("left", "right"), [(2, 41), (3, 42), (4, 43), (7, 46), (8, 47), (10, 49), (11, 50), (12, 51), (13, 52), (17, 53)]
)
def test_left_and_right_are_the_same_tissue(left, right):
    assert tissue_of_label()[left] == tissue_of_label()[right]


@pytest.mark.parametrize(
    ("field_strength", "t1"), [pytest.param(1.5, 650, id="1.5 T"), pytest.param(3.0, 850, id="3 T")]
)
def test_t1_is_the_tabulated_one_at_the_tabulated_fields(field_strength, t1):
    assert parameter_table(field_strength)[INDEX_OF["white_matter"], 1].item() == pytest.approx(t1, rel=1e-5)


def test_t1_grows_with_the_field():
    low, middle, high = (parameter_table(field)[1:, 1] for field in (1.5, 2.0, 3.0))

    assert torch.all(low <= middle)
    assert torch.all(middle <= high)


def test_nothing_comes_from_air():
    assert TISSUES[0].name == "air"
    assert parameter_table(3.0)[0, 0] == 0
