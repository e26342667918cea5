import pytest
import torch

from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.tissues import AIR, INDEX_OF, SOFT_TISSUE


def lattice(step=6.0, reach=90.0):
    axis = torch.arange(-reach, reach + 1, step)
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)


def deformed(subject, points):
    return points @ subject.shape.T + subject.displacement.at(points).movedim(0, -1)


@pytest.mark.parametrize("seed", range(5))
def test_the_deformation_is_smooth_and_does_not_fold(ball, seed):
    positions = deformed(new_subject(ball, seed), lattice())
    edges = [positions.diff(dim=axis)[:29, :29, :29] / 6.0 for axis in range(3)]

    volumes = torch.linalg.det(torch.stack(edges, dim=-1))

    assert (volumes > 0).float().mean() > 0.999
    assert 0.5 < volumes.median() < 1.6


def test_without_deformation_a_subject_is_its_anatomy(ball):
    points = lattice().reshape(-1, 1, 3)

    tissue, _ = new_subject(ball, 1, deformation=0.0).at(points)

    label_map = ball.at(points[:, 0])
    is_soft = label_map == SOFT_TISSUE
    assert torch.equal(tissue[~is_soft, 0], label_map[~is_soft])
    assert set(tissue[is_soft].unique().tolist()) == {INDEX_OF[name] for name in ("fat", "muscle", "skin")}


def test_two_seeds_are_two_heads_and_one_seed_is_one(ball):
    points = lattice().reshape(-1, 1, 3)

    one, same, other = (new_subject(ball, seed).at(points) for seed in (1, 1, 2))

    assert torch.equal(one[0], same[0])
    assert torch.equal(one[1], same[1])
    assert ((one[0] > AIR) != (other[0] > AIR)).any()


def test_texture_varies_t1_by_a_few_per_cent(ball):
    t1, pd, _ = new_subject(ball, 4).at(lattice().reshape(-1, 1, 3))[1]

    assert t1.mean().item() == pytest.approx(1.0, abs=0.02)
    assert 0.02 < t1.std() < 0.05
    assert 0.005 < pd.std() < 0.025
