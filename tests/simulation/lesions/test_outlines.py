import pytest
import torch

from hail_mri.simulation.lesions.masses import DEPTH_IN_RADII, RADIUS
from hail_mri.simulation.lesions.outlines import PUSH, PUSH_WIDTH, Lesion, MassEffect, paint, random_outline

CENTRE = torch.tensor([10.0, -5.0, 20.0])


@pytest.fixture
def ball():
    """A lesion of 6 mm radius with a smooth surface that replaces tissue 1 by tissue 9."""
    outline = random_outline(torch.Generator().manual_seed(0), smoothness=6.0)
    smooth = type(outline)(0 * outline.values, outline.origin, outline.spacing)
    return Lesion("ball", 9, CENTRE, torch.eye(3) / 6, (1,), smooth)


def lattice(step=1.0, reach=30.0):
    axis = torch.arange(-reach, reach + step / 2, step)
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1) + CENTRE


def test_a_mass_folds_nothing():
    before = MassEffect(CENTRE, 12.0).before(lattice())
    edges = [before.diff(dim=axis)[:60, :60, :60] for axis in range(3)]
    assert (torch.linalg.det(torch.stack(edges, dim=-1)) > 0).all()


def test_a_mass_moves_its_surroundings_away_along_their_rays():
    points = lattice().reshape(-1, 3)
    offsets = points - CENTRE
    moved = MassEffect(CENTRE, 12.0).before(points) - CENTRE
    distance, was = offsets.norm(dim=1), moved.norm(dim=1)
    assert (was <= distance).all()
    assert torch.linalg.cross(offsets, moved).abs().max() < 1e-3
    assert was[distance < 40].min() == 0


def test_most_of_the_room_that_a_mass_takes_is_made_by_moving_what_was_there():
    surface = CENTRE + torch.tensor([[12.0, 0, 0]])
    was = (MassEffect(CENTRE, 12.0).before(surface) - CENTRE).norm().item()
    assert (was / 12) ** 3 == pytest.approx((1 - PUSH * torch.exp(torch.tensor(-1 / PUSH_WIDTH**2)).item()) ** 3)
    assert (was / 12) ** 3 < 0.15


def test_the_skull_stays_where_it_is():
    skull = CENTRE + torch.tensor([[DEPTH_IN_RADII * RADIUS[1], 0, 0]])
    assert (MassEffect(CENTRE, RADIUS[1]).before(skull) - skull).norm() < 0.5


def test_a_lesion_replaces_its_hosts_and_nothing_else(ball):
    points = lattice(0.5, 7.75).reshape(-1, 1, 3)
    tissue = torch.where(points[..., 0] > CENTRE[0], 1, 2).to(torch.uint8)
    painted, number = paint((ball,), points, tissue)
    assert (painted[tissue == 2] == 2).all()
    volume_mm3 = 0.5**3 * (painted == 9).sum().item()
    assert volume_mm3 == pytest.approx(0.5 * 4 / 3 * torch.pi * 6**3, rel=0.06)
    assert torch.equal(number == 1, painted == 9)


def test_a_later_lesion_covers_an_earlier_one(ball):
    inner = Lesion("inner", 10, CENTRE, torch.eye(3) / 2, (1,), ball.outline)
    points = CENTRE.reshape(1, 1, 3)
    painted, number = paint((ball, inner), points, torch.ones(1, 1, dtype=torch.uint8))
    assert (painted.item(), number.item()) == (10, 2)


def test_painting_does_not_change_its_input(ball):
    tissue = torch.ones(1, 1, dtype=torch.uint8)
    paint((ball,), CENTRE.reshape(1, 1, 3), tissue)
    assert tissue.item() == 1
