"""The losses against numbers worked out by hand."""

import math

import pytest
import torch

from hail_mri.model.adversarial_losses import (
    cycle_loss,
    decayed,
    discriminator_loss,
    generator_loss,
    r1_penalty,
    style_diversity,
    style_reconstruction_loss,
)


def logits_of(*probabilities):
    return torch.tensor(probabilities)[:, None].logit()


def test_the_discriminators_loss_is_the_cross_entropy_of_real_and_generated():
    found = discriminator_loss(logits_of(0.9, 0.6), logits_of(0.2, 0.3))
    expected = -(math.log(0.9) + math.log(0.6) + math.log(1 - 0.2) + math.log(1 - 0.3)) / 2
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_the_generators_loss_is_the_log_of_being_taken_for_real():
    found = generator_loss(logits_of(0.2, 0.3))
    assert found.item() == pytest.approx(-(math.log(0.2) + math.log(0.3)) / 2, rel=1e-6)


def test_the_generators_slope_does_not_vanish_where_the_discriminator_is_sure():
    logits = torch.tensor([[-30.0]], requires_grad=True)
    generator_loss(logits).backward()
    assert logits.grad.item() == pytest.approx(-1)


def test_losses_of_very_sure_discriminators_are_finite():
    sure = torch.tensor([[1e4], [-1e4]])
    assert torch.isfinite(discriminator_loss(sure, -sure))
    assert torch.isfinite(generator_loss(sure))


def test_r1_of_a_linear_discriminator_is_half_the_squared_norm_of_its_weights():
    real = torch.rand(3, 1, 4, 5, requires_grad=True)
    weights = torch.randn(1, 1, 4, 5, generator=torch.Generator().manual_seed(0))
    logits = (weights * real).sum(dim=(1, 2, 3))[:, None]
    assert r1_penalty(logits, real).item() == pytest.approx(0.5 * weights.square().sum().item(), rel=1e-5)


def test_r1_of_half_a_squared_norm_is_half_the_mean_squared_norm_and_has_a_slope():
    real = torch.rand(3, 1, 4, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    scale = torch.tensor(2.0, requires_grad=True)
    penalty = r1_penalty(scale * 0.5 * real.square().sum(dim=(1, 2, 3))[:, None], real)
    mean_square = real.detach().square().sum(dim=(1, 2, 3)).mean().item()
    assert penalty.item() == pytest.approx(0.5 * 4 * mean_square, rel=1e-5)
    penalty.backward()
    assert scale.grad.item() == pytest.approx(2 * mean_square, rel=1e-5)


@pytest.mark.parametrize("distance", [style_reconstruction_loss, style_diversity, cycle_loss])
def test_distances_are_mean_absolute_differences(distance):
    one, other = torch.tensor([[0.0, 1.0], [2.0, 3.0]]), torch.tensor([[1.0, 1.0], [0.0, 3.5]])
    assert distance(one, other).item() == pytest.approx((1 + 0 + 2 + 0.5) / 4)
    assert distance(one, one).item() == 0


def test_a_decaying_weight_goes_down_to_0_in_a_straight_line():
    assert [decayed(2.0, progress) for progress in (0.0, 0.25, 0.5, 1.0)] == [2.0, 1.5, 1.0, 0.0]
