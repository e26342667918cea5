import pytest
import torch

from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.simulation.acquisition import scan
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.patches import cut_patch, patch_signal
from hail_mri.simulation.phantoms import centred_affine, no_transform, place
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.tissues import TISSUES, classes_of_tissues

SHAPE = (24, 30, 32)


@pytest.fixture(scope="module")
def head():
    return place(new_subject(mni_label_map(2.0), 1), SHAPE, centred_affine(SHAPE, 8.0), transform=no_transform())


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_the_quick_scan_is_the_exact_one_within_two_percent_and_two_per_mille_on_average(head, site):
    starts, shape = (4, 8, 6), (16, 16, 16)
    signal = patch_signal(cut_patch(head, starts, shape), site)
    exact = scan(head, site)[tuple(slice(a, a + n) for a, n in zip(starts, shape, strict=True))]
    exact = exact * (signal.sum() / exact.sum())  # scan returns scanner units
    assert (signal - exact).abs().max() < 0.02 * exact.max()
    assert (signal - exact).abs().mean() < 0.002 * exact.mean()


def test_what_lies_outside_the_grid_is_air(head):
    patch = cut_patch(head, (-8, -8, -8), (8, 8, 8))
    assert (patch.counts[..., 0] == patch.n_points).all()
    assert patch_signal(patch, SITES["A"]).max() == 0


def test_a_patch_is_the_same_wherever_it_is_cut(head):
    whole = cut_patch(head, (0, 0, 0), SHAPE)
    part = cut_patch(head, (5, 7, 9), (8, 8, 8))
    assert torch.equal(part.counts, whole.counts[5:13, 7:15, 9:17])
    assert torch.equal(part.tissue_factors, whole.tissue_factors[:, 5:13, 7:15, 9:17])


def test_every_tissue_has_a_class():
    classes = classes_of_tissues()
    assert len(classes) == len(TISSUES)
    assert set(classes.tolist()) == set(range(len(TISSUE_CLASSES)))
