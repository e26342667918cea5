import pytest
import torch
from monai.losses import SSIMLoss
from monai.metrics.regression import KernelType

from hail_mri.model.adain import Statistics
from hail_mri.model.losses import (
    SSIM_C1,
    consistency_loss,
    content_loss,
    reconstruction_loss,
    structural_similarity,
    style_loss,
    supervised_loss,
)

SHAPE = (2, 1, 12, 16, 14)


@pytest.fixture
def pair():
    """Two volumes that are alike, on a [0, 1] scale."""
    generator = torch.Generator().manual_seed(0)
    volume = torch.nn.functional.avg_pool3d(torch.rand(SHAPE, generator=generator), 3, 1, 1)
    return volume, (0.8 * volume + 0.1 * torch.rand(SHAPE, generator=generator)).clamp(0, 1)


def test_structural_similarity_is_the_number_of_monai(pair):
    loss = SSIMLoss(3, kernel_type=KernelType.GAUSSIAN, win_size=7, kernel_sigma=1.5, reduction="none")
    torch.testing.assert_close(structural_similarity(*pair), 1 - loss(*pair).reshape(-1), rtol=0, atol=2e-5)


def test_structural_similarity_of_a_volume_with_itself_is_1(pair):
    torch.testing.assert_close(structural_similarity(pair[0], pair[0]), torch.ones(2))


def test_structural_similarity_of_two_constants_is_their_luminance_term():
    a, b = 0.4, 0.6
    found = structural_similarity(torch.full(SHAPE, a), torch.full(SHAPE, b))
    expected = (2 * a * b + SSIM_C1) / (a * a + b * b + SSIM_C1)
    torch.testing.assert_close(found, torch.full((2,), expected), rtol=1e-3, atol=0)


def test_structural_similarity_does_not_depend_on_the_order_of_the_axes(pair):
    a, b = pair
    turned = structural_similarity(a.permute(0, 1, 4, 2, 3), b.permute(0, 1, 4, 2, 3))
    torch.testing.assert_close(turned, structural_similarity(a, b))


def test_structural_similarity_is_as_exact_under_autocast(pair):
    exact = structural_similarity(*pair)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = structural_similarity(*pair)
    assert torch.equal(found, exact)


def test_a_training_step_can_follow_a_validation_step_of_another_shape():
    with torch.inference_mode():
        structural_similarity(torch.rand(1, 1, 9, 10, 11), torch.rand(1, 1, 9, 10, 11))
    volume = torch.rand(1, 1, 9, 10, 11, requires_grad=True)
    structural_similarity(volume, torch.rand(1, 1, 9, 10, 11)).sum().backward()
    assert volume.grad.abs().sum() > 0


@pytest.mark.parametrize("loss", [reconstruction_loss, consistency_loss])
def test_reconstruction_losses_are_l1_plus_1_minus_ssim(loss, pair):
    drawn, volume = pair
    expected = (drawn - volume).abs().mean() + 1 - structural_similarity(drawn, volume).mean()
    torch.testing.assert_close(loss(drawn, volume), expected)
    assert loss(volume, volume).item() == pytest.approx(0, abs=1e-6)


def test_content_loss_is_the_mean_squared_error():
    assert content_loss(torch.zeros(1, 2, 3, 3, 3), torch.full((1, 2, 3, 3, 3), 3.0)).item() == 9


def test_style_loss_adds_up_means_and_widths_over_the_levels():
    def level(mean, std):
        return Statistics(torch.full((1, 4), mean), torch.full((1, 4), std))

    found = style_loss([level(0.0, 1.0), level(0.0, 1.0)], [level(2.0, 1.0), level(1.0, 4.0)])
    assert found.item() == 2**2 + 1**2 + 3**2


def test_supervised_loss_weighs_its_two_terms_alike_at_a_tenth_of_the_range():
    truth = torch.zeros(1, 1, 2, 2, 2)
    loss = supervised_loss(truth + 0.1, truth, torch.ones_like(truth))
    assert loss.item() == pytest.approx(0.1 + 10 * 0.1**2)


def test_supervised_loss_looks_only_where_there_is_weight(pair):
    harmonized, truth = pair
    weight = torch.zeros_like(truth)
    weight[..., 3:7] = 2
    expected = supervised_loss(harmonized[..., 3:7], truth[..., 3:7], torch.ones_like(truth[..., 3:7]))
    torch.testing.assert_close(supervised_loss(harmonized, truth, weight), expected)
