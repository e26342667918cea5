import numpy as np
import torch

from hail_mri.model.tissue_style import SMALLEST_FRACTION, UNKNOWN, measure_tissue_style

N = 5000


def random_shares(n_classes=4):
    return torch.softmax(2 * torch.randn(n_classes, N, generator=torch.Generator().manual_seed(0)), dim=0)


def test_class_means_of_a_mixture_are_those_it_was_mixed_of():
    shares, means = random_shares(), torch.tensor([0.1, 0.4, 0.6, 0.9])
    style = measure_tissue_style(shares, means @ shares, torch.ones(N))
    np.testing.assert_allclose(style.means, means, atol=2e-3)


def test_class_means_are_those_of_a_weighted_least_squares_fit():
    shares, generator = random_shares(), torch.Generator().manual_seed(1)
    volume, weight = torch.rand(N, generator=generator), torch.rand(N, generator=generator)
    style = measure_tissue_style(shares, volume, weight)
    root = weight.sqrt().double().numpy()
    expected = np.linalg.lstsq(shares.T.double().numpy() * root[:, None], volume.double().numpy() * root, rcond=None)[0]
    np.testing.assert_allclose(style.means, expected, atol=2e-3)


def test_fractions_add_up_to_one():
    style = measure_tissue_style(random_shares(), torch.rand(N), torch.ones(N))
    np.testing.assert_allclose(style.fractions.sum(), 1.0)


def test_a_class_that_is_not_there_is_unknown_and_a_large_one_is_known():
    shares = torch.cat([random_shares(3), torch.zeros(1, N)])
    volume = shares[0] + 0.05 * torch.randn(N, generator=torch.Generator().manual_seed(2))
    style = measure_tissue_style(shares, volume, torch.ones(N))
    assert style.errors[3] == UNKNOWN
    assert style.fractions[3] == SMALLEST_FRACTION
    assert style.errors[:3].max() < 0.05


def test_more_voxels_make_a_class_mean_better_known():
    shares, noise = random_shares(), 0.1 * torch.randn(N, generator=torch.Generator().manual_seed(3))
    volume = shares[1] + noise
    few = measure_tissue_style(shares[:, : N // 16], volume[: N // 16], torch.ones(N // 16))
    many = measure_tissue_style(shares, volume, torch.ones(N))
    np.testing.assert_allclose(few.errors / many.errors, 4.0, rtol=0.3)
