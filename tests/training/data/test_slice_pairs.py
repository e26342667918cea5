"""Slices of simulated brains."""

import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.training.data.heads import load_head
from hail_mri.training.data.slice_pairs import SlicePairSettings, draw_slice_pair, random_axial_slice
from hail_mri.training.data.views import Box, View


def draw(head_paths, seed, *, sites=(), flips=False):
    return draw_slice_pair(
        head_paths, torch.Generator().manual_seed(seed), settings=SlicePairSettings(sites, flips=flips)
    )


def test_a_pair_is_two_axial_slices_each_the_others_target(head_paths):
    pair = draw(head_paths, 1)
    assert pair.source.shape == (2, 1, 24, 32, 1)
    assert torch.equal(pair.target, pair.source.flip(0))
    assert pair.truth is None


def test_slices_show_a_brain_and_nothing_around_it(head_paths):
    for seed in range(6):
        source = draw(head_paths, seed).source[..., 0]
        share = (source != 0).float().mean(dim=(1, 2, 3))
        assert (share > 0).all()
        assert (share < 0.6).all()  # whole heads fill more
        assert not source[:, :, [0, -1]].any()
        assert 0.2 < source[source != 0].median() < 0.9  # white matter is 0.6


def test_a_slice_lies_across_the_last_axis_through_what_is_shown(head_paths):
    head = load_head(head_paths[0])
    view = View(head, Box((0, 0, 0), head.shape), stripped=True)
    brain = head.brain
    places = {random_axial_slice(view, torch.Generator().manual_seed(seed)) for seed in range(20)}
    assert len({box.starts[2] for box in places}) > 4
    for box in places:
        assert box.shape == (24, 32, 1)
        assert brain[:, :, box.starts[2]].any()


def test_the_same_seed_gives_the_same_pair(head_paths):
    assert torch.equal(draw(head_paths, 3).source, draw(head_paths, 3).source)
    assert not torch.equal(draw(head_paths, 3).source, draw(head_paths, 4).source)


def test_half_of_the_pairs_are_mirrored_if_wanted(head_paths):
    flipped = [not torch.equal(draw(head_paths, n).source, draw(head_paths, n, flips=True).source) for n in range(12)]
    assert 2 < sum(flipped) < 10


def test_the_two_scans_are_of_two_of_the_sites_that_are_named(head_paths, monkeypatch):
    from hail_mri.training.data import slice_pairs

    seen = []
    scan_pair = slice_pairs.scan_pair

    def watch(visits, contrasts, generator, **options):
        seen.append({contrast.site.name for contrast in contrasts})
        return scan_pair(visits, contrasts, generator, **options)

    monkeypatch.setattr(slice_pairs, "scan_pair", watch)
    for seed in range(8):
        draw(head_paths, seed, sites=("A", "B", "C"))
    assert all(len(names) == 2 and names < {"A", "B", "C"} for names in seen)
    assert len({frozenset(names) for names in seen}) > 1


def test_a_head_without_a_brain_is_refused(head_paths):
    head = load_head(head_paths[0])
    view = View(head, Box((0, 0, 0), (1, 1, 1)), stripped=True)
    with pytest.raises(InputError, match="shows no brain"):
        random_axial_slice(view, torch.Generator().manual_seed(0))
