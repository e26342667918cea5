from functools import partial

import pytest
import torch

from hail_mri.model.tissue_classes import BRAIN
from hail_mri.preprocess.prepare import CEILING
from hail_mri.training.data.simulated_pairs import TRUTH_CEILING, draw_pair
from hail_mri.training.data.simulated_samples import SimulatedSamples

N = 8


def brain_of(batch):
    """Where most of a voxel is brain, as the tissues say."""
    return (2 * batch.tissue_counts[..., list(BRAIN)].sum(dim=-1) > batch.tissue_counts.sum(dim=-1)).unsqueeze(1)


@pytest.fixture(scope="module")
def pairs(head_paths):
    return SimulatedSamples(draw_pair, head_paths, seed=5, first=0, n_items=N)


def equal(one, other):
    return all(torch.equal(values, other.require(name, by="a test")) for name, values in present(one).items())


def present(batch):
    return {name: values for name, values in vars(batch).items() if values is not None}


def test_the_same_index_gives_the_same_bits_wherever_the_sequence_starts(head_paths, pairs):
    later = SimulatedSamples(draw_pair, head_paths, seed=5, first=3, n_items=2)
    assert equal(pairs[4], later[1])
    assert equal(pairs[4], pairs[4])


def test_other_indices_and_other_seeds_give_other_pairs(head_paths, pairs):
    other_seed = SimulatedSamples(draw_pair, head_paths, seed=6, first=0, n_items=1)
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
    pairs = SimulatedSamples(draw_pair, head_paths, seed=11, first=0, n_items=12)
    ratios = []
    for example in pairs:
        for truth, target, brain in zip(example.truth, example.target, brain_of(example), strict=True):
            ratios.append(float(truth[brain].quantile(0.9) / target[target > 0.05].quantile(0.75)))
    assert 0.7 < torch.tensor(ratios).median() < 1.4


@pytest.mark.parametrize("seed", range(20))
def test_patches_always_hold_some_of_both_heads(head_paths, seed):
    example = SimulatedSamples(partial(draw_pair, patch=8), head_paths, seed=seed, first=0, n_items=1)[0]
    assert example.source.shape == (2, 1, 8, 8, 8)
    assert (example.source_weight.amax(dim=(1, 2, 3, 4)) > 0.5).all()
    assert (example.target_weight.amax(dim=(1, 2, 3, 4)) > 0.5).all()


def test_a_network_of_another_depth_gets_edges_it_can_halve(head_paths):
    example = SimulatedSamples(partial(draw_pair, stride=4), head_paths, seed=5, first=0, n_items=1)[0]
    assert all(n % 4 == 0 for n in example.source.shape[2:])
