"""A patch of a head is scanned as the whole head is, and nothing larger than the patch and its margin is made."""

from dataclasses import replace

import pytest
import torch

from hail_mri.model.tissue_classes import BACKGROUND
from hail_mri.preprocess.prepare import WHITE_MATTER
from hail_mri.preprocess.white_matter import measured_white_matter
from hail_mri.simulation.acquisition import random_receive_field, scan
from hail_mri.simulation.mni import mni_label_map
from hail_mri.simulation.phantoms import centred_affine, no_transform, place
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.training.data.patch_visits import (
    Coil,
    Contrast,
    PatchVisit,
    cut_visit,
    scan_visit,
    shown_in,
)
from hail_mri.training.data.views import Box, View, head_box, random_box

SHAPE = (48, 60, 64)
WHOLE = Box((0, 0, 0), SHAPE)
THICK = replace(SITES["B"], resolution=(1.2, 4.0))  # what is coarsest of random sites

CUBE = Box((0, 0, 0), (40, 40, 40))
BOXES = [
    pytest.param(Box((12, 10, 14), (28, 26, 30)), id="in the middle"),
    pytest.param(Box((0, 0, 0), (16, 16, 16)), id="at a corner"),
    pytest.param(Box((16, 20, 24), (32, 36, 40)), id="at the end of the grid"),
]


@pytest.fixture(scope="module")
def head():
    return place(new_subject(mni_label_map(2.0), 1), SHAPE, centred_affine(SHAPE, 4.0), transform=no_transform())


@pytest.fixture(scope="module")
def cube():
    """The middle of a head in voxels of 2 mm, finer than thick slices."""
    return place(
        new_subject(mni_label_map(2.0), 1), CUBE.shape, centred_affine(CUBE.shape, 2.0), transform=no_transform()
    )


@pytest.fixture(scope="module")
def coil():
    return Coil(random_receive_field(torch.Generator().manual_seed(2)), 0.16)


def visit(head, coil, box, *, stripped=False, field_of_view=None):
    return PatchVisit(View(head, field_of_view or Box((0, 0, 0), head.shape), stripped), box, coil)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("gamma", [1.0, 0.8])
def test_a_patch_that_is_scanned_is_the_patch_of_the_head_that_is_scanned(cube, coil, box, gamma):
    contrast, part, whole = Contrast(THICK, gamma), visit(cube, coil, box), visit(cube, coil, CUBE)
    expected = scan_visit(whole, cut_visit(whole), contrast)[box.slices_in(CUBE)]
    torch.testing.assert_close(scan_visit(part, cut_visit(part), contrast), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("site", [*SITES.values(), THICK], ids=[*SITES, "thick slices"])
def test_it_is_the_scan_of_the_exact_signal_equation_within_two_percent(cube, coil, site):
    box = Box((12, 10, 14), (28, 26, 30))
    exact = scan(cube, site, receive_field=coil.field, receive_strength=coil.strength)[box.slices_in(CUBE)]
    part = visit(cube, coil, box)
    found = scan_visit(part, cut_visit(part), Contrast(site, 1.0))
    assert (found / found.max() - exact / exact.max()).abs().max() < 0.02


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("stripped", [False, True])
def test_what_is_known_of_a_patch_is_what_is_known_of_it_in_the_head(cube, coil, box, stripped):
    view = {"stripped": stripped, "field_of_view": Box((0, 4, 10), (30, 40, 40))}
    part, whole = visit(cube, coil, box, **view), visit(cube, coil, CUBE, **view)
    found, expected = shown_in(part, cut_visit(part)), shown_in(whole, cut_visit(whole))
    for name in ("keep", "weight", "tissue_counts"):
        assert torch.equal(getattr(found, name), getattr(expected, name)[box.slices_in(CUBE)]), name


def test_what_is_not_shown_is_background(head, coil):
    part = visit(head, coil, WHOLE, stripped=True)
    shown = shown_in(part, cut_visit(part))
    assert torch.equal(shown.keep, head.brain)
    assert (shown.tissue_counts[~shown.keep][:, BACKGROUND] == 8).all()


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_white_matter_is_at_its_place_on_the_scale_whatever_the_coil(head, coil, site):
    whole = visit(head, coil, WHOLE)
    volume = scan_visit(whole, cut_visit(whole), Contrast(site, 0.8))
    assert float(volume[head.white_matter].median()) == pytest.approx(WHITE_MATTER, rel=0.03)


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_the_scale_is_that_of_prepare_as_closely_as_that_is_known(head, coil, site):
    whole = visit(head, coil, WHOLE)
    volume = scan_visit(whole, cut_visit(whole), Contrast(site, 1.0))
    assert measured_white_matter(volume.numpy(), head.head.float().numpy(), 4.0) == pytest.approx(WHITE_MATTER, rel=0.1)


def test_a_box_of_a_pair_is_in_the_grid_and_in_both_heads(head):
    views = View(head, WHOLE, stripped=True), View(head, Box((0, 0, 20), SHAPE), stripped=False)
    for seed in range(20):
        box = random_box(views, 16, torch.Generator().manual_seed(seed))
        assert box.shape == (16, 16, 16)
        assert head.brain[box.slices_in(WHOLE)].any()
    around = head_box(views, 8)
    assert all(n % 8 == 0 or n == size for n, size in zip(around.shape, SHAPE, strict=True))
    assert head.brain.sum() == head.brain[around.slices_in(WHOLE)].sum()
