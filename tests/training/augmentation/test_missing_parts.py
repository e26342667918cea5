import torch

from hail_mri.training.augmentation.missing_parts import STRIPPED, choose_stripped, random_field_of_view

SHAPE = (40, 50, 60)


def test_a_field_of_view_loses_one_margin_at_most_and_less_than_half_of_the_head():
    generator = torch.Generator().manual_seed(0)
    n_whole = 0
    for _ in range(300):
        starts, ends = random_field_of_view(SHAPE, generator)
        lost = [n - (end - start) for start, end, n in zip(starts, ends, SHAPE, strict=True)]
        assert sum(n > 0 for n in lost) <= 1
        assert all(0 <= n <= 0.35 * edge for n, edge in zip(lost, SHAPE, strict=True))
        n_whole += not any(lost)
    assert 0.6 < n_whole / 300 < 0.8


def test_source_and_target_are_stripped_as_often_as_said():
    generator = torch.Generator().manual_seed(0)
    drawn = [choose_stripped(generator) for _ in range(1000)]
    for kind, probability in STRIPPED.items():
        assert abs(drawn.count(kind) / 1000 - probability) < 0.05
