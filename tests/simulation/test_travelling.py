from dataclasses import replace

import numpy as np
import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import (
    derive_seed,
    head_grid,
    rescan_at,
    scan_subject,
    scan_visit,
    travelling_pair,
    truth_at,
    visit_site,
)


@pytest.fixture(scope="module")
def visit(mni):
    return visit_site(new_subject(mni, 1), SITES["A"], spacing=8.0, seed=2)


def test_the_truth_at_the_own_site_is_the_scan_without_noise(visit):
    scanned, truth = scan_visit(visit).data, truth_at(visit, visit.site).data
    head = visit.head.head.numpy()

    noise = (scanned - truth)[head]

    assert abs(noise.mean()) < 0.02 * truth[head].mean()
    assert 0 < noise.std() < 0.02 * truth[head].mean()


def test_the_truth_has_the_targets_contrast_under_the_sources_field(visit):
    strong = replace(visit, site=replace(visit.site, receive_strength=0.3))
    flat = replace(visit, site=replace(visit.site, receive_strength=0.0))
    brain = visit.head.brain.numpy()

    shaded, plain = truth_at(strong, SITES["B"]).data, truth_at(flat, SITES["B"]).data

    # The ratio is the source's field, whatever the strength at B.
    source_field = truth_at(strong, SITES["A"]).data[brain] / truth_at(flat, SITES["A"]).data[brain]
    np.testing.assert_allclose(shaded[brain] / plain[brain], source_field, rtol=1e-4)
    assert source_field.std() > 0.05


def test_a_rescan_is_the_truth_with_noise_of_its_own(visit):
    truth, rescan = truth_at(visit, SITES["B"]).data, rescan_at(visit, SITES["B"]).data
    brain = visit.head.brain.numpy()

    errors = np.stack([(rescan - truth)[brain], (scan_visit(visit).data - truth_at(visit, visit.site).data)[brain]])

    assert 0 < errors[0].std() < 0.02 * truth[brain].mean()
    assert abs(np.corrcoef(errors)[0, 1]) < 0.1


def test_a_pair_is_on_one_grid_with_the_brain_inside_the_head(mni):
    pair = travelling_pair(mni, SITES["A"], SITES["C"], spacing=8.0, seed=1)

    assert pair.source.grid.is_close(pair.truth.grid)
    assert pair.source.grid.is_close(pair.rescan.grid)
    assert pair.brain_mask.any()
    assert not (pair.brain_mask & ~pair.head_mask).any()
    # Spin echo and gradient echo differ far more than noise does.
    apart = np.corrcoef(pair.source.data[pair.head_mask], pair.truth.data[pair.head_mask])[0, 1]
    assert 0.3 < apart < 0.99


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_head(mni):
    one, same, other = (travelling_pair(mni, SITES["A"], SITES["B"], spacing=8.0, seed=seed) for seed in (1, 1, 2))

    for mine, yours in zip(one, same, strict=True):
        assert np.array_equal(getattr(mine, "data", mine), getattr(yours, "data", yours))
    assert not np.array_equal(one.head_mask, other.head_mask)


def test_the_number_of_threads_does_not_change_a_bit(mni):
    n_threads, scans = torch.get_num_threads(), []
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            scans.append(scan_subject(new_subject(mni, 1), SITES["B"], spacing=4.0, seed=1).data)
    finally:
        torch.set_num_threads(n_threads)

    assert np.array_equal(scans[0], scans[1])


def test_a_subject_lies_differently_at_every_visit(mni):
    subject = new_subject(mni, 1)

    one, other = (scan_subject(subject, SITES["B"], spacing=8.0, seed=seed) for seed in (1, 2))

    assert one.grid.is_close(other.grid)
    assert np.abs(one.data - other.data).max() > 100


@pytest.mark.parametrize("spacing", [0.0, 0.2, 20.0, float("nan")])
def test_spacings_that_make_no_head_are_refused(spacing):
    with pytest.raises(InputError, match=r"expected 0\.5 to 8 mm"):
        head_grid(spacing)


def test_seeds_differ_in_the_bits_that_torch_looks_at():
    seeds = {derive_seed(0, "visit", number, site) for number in range(100) for site in "ABC"}

    assert len(seeds) == 300
    assert len({torch.Generator().manual_seed(seed).initial_seed() % 2**32 for seed in seeds}) == 300
