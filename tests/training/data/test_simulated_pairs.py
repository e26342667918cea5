from functools import partial

import pytest
import torch

from hail_mri.model.tissue_classes import BRAIN
from hail_mri.preprocess.prepare import CEILING
from hail_mri.simulation.scanners import SITES
from hail_mri.training.data import simulated_pairs
from hail_mri.training.data.simulated_pairs import TRUTH_CEILING, PairSettings, draw_pair
from hail_mri.training.data.simulated_samples import SimulatedSamples
from hail_mri.training.settings import AugmentationSection

N = 8
ALL = AugmentationSection(stripping=True, field_of_view=True, gamma=True, flips=True)
NONE = AugmentationSection(stripping=False, field_of_view=False, gamma=False, flips=False)


def draw(augmentation=ALL, **settings):
    return partial(draw_pair, settings=PairSettings(augmentation, **settings))


def brain_of(batch):
    """Where most of a voxel is brain, as the tissues say."""
    return (2 * batch.tissue_counts[..., list(BRAIN)].sum(dim=-1) > batch.tissue_counts.sum(dim=-1)).unsqueeze(1)


@pytest.fixture(scope="module")
def pairs(head_paths):
    return SimulatedSamples(draw(), head_paths, seed=5, first=0, n_items=N)


def equal(one, other):
    return all(torch.equal(values, other.require(name, by="a test")) for name, values in present(one).items())


def present(batch):
    return {name: values for name, values in vars(batch).items() if values is not None}


def test_the_same_index_gives_the_same_bits_wherever_the_sequence_starts(head_paths, pairs):
    later = SimulatedSamples(draw(), head_paths, seed=5, first=3, n_items=2)
    assert equal(pairs[4], later[1])
    assert equal(pairs[4], pairs[4])


def test_other_indices_and_other_seeds_give_other_pairs(head_paths, pairs):
    other_seed = SimulatedSamples(draw(), head_paths, seed=6, first=0, n_items=1)
    shapes_or_bits = [pairs[0], pairs[1], other_seed[0]]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        a, b = shapes_or_bits[one].source, shapes_or_bits[other].source
        assert a.shape != b.shape or not torch.equal(a, b)


def test_a_sequence_ends(pairs):
    assert len(list(pairs)) == N


@pytest.mark.parametrize("index", range(N))
class TestEveryPair:
    def test_goes_in_both_directions_the_target_of_one_is_the_source_of_the_other(self, pairs, index):
        example = pairs[index]
        assert torch.equal(example.target, example.source.flip(0))
        assert torch.equal(example.target_weight, example.source_weight.flip(0))

    def test_has_edges_that_fit_the_network_and_holds_all_of_both_heads(self, pairs, index):
        example = pairs[index]
        assert all(n % 8 == 0 for n in example.source.shape[2:])
        assert example.source_weight.sum(dim=(1, 2, 3, 4)).min() > 0

    def test_is_on_its_scales(self, pairs, index):
        example = pairs[index]
        assert all(torch.isfinite(values).all() for values in present(example).values())
        assert example.source.min() >= 0
        assert example.source.max() <= CEILING
        assert example.truth.min() >= 0
        assert example.truth.max() <= TRUTH_CEILING
        for volume, weight in zip(example.source, example.source_weight, strict=True):
            assert 0.1 < volume[weight > 0.5].median() < 1.0

    def test_has_its_truth_where_the_source_is_and_nowhere_else(self, pairs, index):
        example = pairs[index]
        assert (example.truth[example.source == 0] > 0).sum() < 0.01 * example.truth.numel()
        assert (example.truth[brain_of(example)] > 0).float().mean() > 0.99

    def test_has_the_subject_of_its_source_in_its_truth(self, pairs, index):
        # Whatever the contrast, the edges of the truth are those of the source, not those of the target.
        example = pairs[index]
        for source, target, truth in zip(example.source, example.target, example.truth, strict=True):
            air = [(volume[0] > 0.05).float() for volume in (source, target, truth)]
            assert (air[0] - air[2]).abs().mean() <= (air[1] - air[2]).abs().mean() + 0.02


def test_the_truth_of_a_pair_is_at_the_level_of_its_target(head_paths):
    pairs = SimulatedSamples(draw(), head_paths, seed=11, first=0, n_items=12)
    ratios = []
    for example in pairs:
        for truth, target, brain in zip(example.truth, example.target, brain_of(example), strict=True):
            ratios.append(float(truth[brain].quantile(0.9) / target[target > 0.05].quantile(0.75)))
    assert 0.7 < torch.tensor(ratios).median() < 1.4


@pytest.mark.parametrize("seed", range(20))
def test_patches_always_hold_some_of_both_heads(head_paths, seed):
    example = SimulatedSamples(draw(patch=8), head_paths, seed=seed, first=0, n_items=1)[0]
    assert example.source.shape == (2, 1, 8, 8, 8)
    assert (example.source_weight.amax(dim=(1, 2, 3, 4)) > 0.5).all()
    assert (example.target_weight.amax(dim=(1, 2, 3, 4)) > 0.5).all()


def test_a_network_of_another_depth_gets_edges_it_can_halve(head_paths):
    example = SimulatedSamples(draw(stride=4), head_paths, seed=5, first=0, n_items=1)[0]
    assert all(n % 4 == 0 for n in example.source.shape[2:])


def test_a_pair_without_truth_is_the_same_pair(head_paths):
    # Flips are drawn after the truth, and noise before: nothing else may move.
    with_truth, without = (
        draw(with_truth=wanted)(head_paths, torch.Generator().manual_seed(9)) for wanted in (True, False)
    )
    assert without.truth is None
    assert torch.equal(without.source, with_truth.source)
    assert torch.equal(without.tissue_counts, with_truth.tissue_counts)


def test_sites_by_name_are_all_used_in_both_orders_and_no_other_is_seen(head_paths, monkeypatch):
    seen = []

    def keep(visits, contrasts, generator, *, with_truth):
        seen.append(tuple(contrast.site.name for contrast in contrasts))
        return scan_pair(visits, contrasts, generator, with_truth=with_truth)

    scan_pair = simulated_pairs.scan_pair
    monkeypatch.setattr(simulated_pairs, "scan_pair", keep)
    list(SimulatedSamples(draw(sites=("A", "B"), patch=8), head_paths, seed=3, first=0, n_items=12))
    assert set(seen) == {("A", "B"), ("B", "A")}
    assert {"A", "B"} < set(SITES)


def test_without_augmentation_whole_heads_are_seen_as_they_are(head_paths):
    for example in SimulatedSamples(draw(NONE, with_truth=False), head_paths, seed=4, first=0, n_items=6):
        assert (example.source_weight.sum(dim=(1, 2, 3, 4)) > 1.5 * brain_of(example).sum(dim=(1, 2, 3, 4))).all()
