from dataclasses import replace

import numpy as np
import pytest
import torch

from hail_mri.simulation.phantoms import RigidTransform, centred_affine, no_transform, place, random_transform
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.tissues import TISSUES

SHAPE, AFFINE = (48, 48, 56), centred_affine((48, 48, 56), 4.0)


def middle_of(mask):
    return torch.tensor(AFFINE[:3, :3] @ mask.nonzero().double().mean(dim=0).numpy() + AFFINE[:3, 3])


def test_a_shift_moves_the_head_against_it(ball, placed):
    # A transform says where in the subject a point of the scanner is: the head moves the other way.
    transform = RigidTransform(torch.eye(3), torch.tensor([8.0, -12.0, 4.0]))

    moved = place(new_subject(ball, 1, deformation=0.0), SHAPE, AFFINE, transform=transform, n_subsamples=1)

    shift = middle_of(moved.head) - middle_of(placed.head)
    torch.testing.assert_close(shift, torch.tensor([-8.0, 12.0, -4.0]).double(), atol=0.01, rtol=0)


def test_a_quarter_turn_turns_the_head(ball):
    turn = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    tilted = replace(ball, origin=(ball.origin[0] + 20, ball.origin[1], ball.origin[2]))

    head = place(new_subject(tilted, 1, deformation=0.0), SHAPE, AFFINE, transform=RigidTransform(turn, torch.zeros(3)))

    # What is 20 mm to the right of the subject's origin lies where the inverse turn takes it: at y = -20.
    middle = middle_of(head.head)
    assert middle[0].item() == pytest.approx(0, abs=0.5)
    assert middle[1].item() == pytest.approx(-20, abs=0.5)


def test_random_poses_are_rotations():
    for seed in range(10):
        rotation = random_transform(torch.Generator().manual_seed(seed)).rotation
        torch.testing.assert_close(rotation @ rotation.T, torch.eye(3), atol=1e-5, rtol=0)
        assert torch.linalg.det(rotation).item() == pytest.approx(1.0, abs=1e-5)


def test_the_labels_are_those_of_the_commonest_tissue(ball):
    head = place(new_subject(ball, 1, deformation=0.0), SHAPE, AFFINE, transform=no_transform(), n_subsamples=2)
    counts = np.stack([(head.tissue.numpy() == index).sum(axis=1) for index in range(len(TISSUES))])

    found = head.tissue_labels.reshape(-1)[head.voxels].numpy()

    np.testing.assert_array_equal(found, counts.argmax(axis=0))
