from functools import partial

import pytest
import torch

from hail_mri.model.tissue_classes import BACKGROUND, TISSUE_CLASSES
from hail_mri.preprocess.prepare import CEILING
from hail_mri.training.data.simulated_samples import SimulatedSamples
from hail_mri.training.data.simulated_scans import draw_scan

N = 16
DRAW = partial(draw_scan, patch=16)


@pytest.fixture(scope="module")
def scans(head_paths):
    return SimulatedSamples(DRAW, head_paths, seed=5, first=0, n_items=N)


def equal(one, other):
    return torch.equal(one.source, other.source) and torch.equal(one.tissue_counts, other.tissue_counts)


def test_the_same_index_gives_the_same_bits_wherever_the_sequence_starts(head_paths, scans):
    later = SimulatedSamples(DRAW, head_paths, seed=5, first=3, n_items=2)
    assert equal(scans[4], later[1])
    assert not equal(scans[4], scans[5])


def test_a_sequence_ends(scans):
    assert len(list(scans)) == N


@pytest.mark.parametrize("index", range(N))
def test_every_scan_is_on_its_scale_and_every_voxel_has_all_its_points(scans, index):
    volume, counts = scans[index].source[0], scans[index].tissue_counts[0]
    assert volume.shape == (1, 16, 16, 16)
    assert counts.shape == (16, 16, 16, len(TISSUE_CLASSES))
    assert torch.isfinite(volume).all()
    assert volume.max() <= CEILING
    assert (counts.sum(dim=-1) == 8).all()


def test_what_was_cut_away_is_background_in_the_map_and_dark_in_the_scan(head_paths):
    scans = SimulatedSamples(DRAW, head_paths, seed=8, first=0, n_items=40)
    for scan in scans:
        volume, counts = scan.source[0, 0], scan.tissue_counts[0]
        erased = (volume <= 0) & (volume.max() > 0.1)
        if erased.any():
            assert (counts[..., BACKGROUND].float() / 8)[erased].mean() > 0.5
