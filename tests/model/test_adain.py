import numpy as np
import pytest
import torch

from hail_mri.model.adain import EPSILON, Statistics, adain, channel_statistics


@pytest.fixture
def features():
    """(2, 3, 6, 7, 8) features, whose channels differ in mean and width."""
    noise = torch.randn(2, 3, 6, 7, 8, generator=torch.Generator().manual_seed(0))
    width, mean = (torch.tensor(v).reshape(3, 1, 1, 1) for v in ([0.5, 2.0, 7.0], [-1.0, 0.0, 9.0]))
    return noise * width + mean


def style(mean, std):
    return Statistics(torch.tensor([mean] * 2), torch.tensor([std] * 2))


def test_features_in_their_own_style_are_themselves(features):
    own = channel_statistics(features)
    torch.testing.assert_close(adain(features, own, own), features, rtol=0, atol=1e-5)


def test_restyled_features_have_the_statistics_of_the_style(features):
    wanted = style([1.0, -2.0, 30.0], [0.1, 3.0, 5.0])
    restyled = channel_statistics(adain(features, channel_statistics(features), wanted))
    torch.testing.assert_close(restyled.mean, wanted.mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(restyled.std, wanted.std, rtol=1e-3, atol=0)


def test_there_and_back_is_where_one_started(features):
    own, other = channel_statistics(features), style([1.0, -2.0, 30.0], [0.1, 3.0, 5.0])
    torch.testing.assert_close(adain(adain(features, own, other), other, own), features, rtol=0, atol=1e-4)


def test_statistics_agree_with_numpy(features):
    found = channel_statistics(features)
    np.testing.assert_allclose(found.mean, features.numpy().mean(axis=(2, 3, 4)), atol=1e-5)
    np.testing.assert_allclose(found.std, np.sqrt(features.numpy().var(axis=(2, 3, 4)) + EPSILON), rtol=1e-5)


def test_weighted_statistics_agree_with_numpy(features):
    weight = torch.rand(2, 1, 6, 7, 8, generator=torch.Generator().manual_seed(1))
    found = channel_statistics(features, weight)
    for item, channel in np.ndindex(2, 3):
        values, weights = features[item, channel].numpy().ravel(), weight[item, 0].numpy().ravel()
        mean = np.average(values, weights=weights)
        std = np.sqrt(np.average((values - mean) ** 2, weights=weights) + EPSILON)
        np.testing.assert_allclose(found.mean[item, channel], mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found.std[item, channel], std, rtol=1e-4)


def test_air_of_weight_0_is_no_part_of_the_style(features):
    weight = torch.ones(2, 1, 6, 7, 8)
    weight[..., 4:] = 0
    with_other_air = features.clone()
    with_other_air[..., 4:] = 1e3
    for found, expected in zip(
        channel_statistics(with_other_air, weight), channel_statistics(features[..., :4]), strict=True
    ):
        torch.testing.assert_close(found, expected)


def test_a_silent_channel_stays_finite(features):
    silent = torch.zeros_like(features)
    restyled = adain(silent, channel_statistics(silent), style([1.0, 1.0, 1.0], [1.0, 1.0, 1.0]))
    torch.testing.assert_close(restyled, torch.ones_like(silent))


@pytest.mark.parametrize("is_weighted", [True, False], ids=["weighted", "not weighted"])
def test_the_derivative_of_the_statistics_is_that_of_their_formula(features, is_weighted):
    generator = torch.Generator().manual_seed(2)
    weight = torch.rand(2, 1, 6, 7, 8, generator=generator) if is_weighted else None
    wanted = torch.randn(2, 2, 3, generator=generator)

    def slope(statistics_of):
        volume = features.clone().requires_grad_()
        mean, std = statistics_of(volume)
        (mean * wanted[0] + std * wanted[1]).sum().backward()
        return volume.grad

    def by_the_formula(volume):
        w = torch.ones(2, 1, 6, 7, 8) if weight is None else weight
        w = w / w.sum(dim=(2, 3, 4), keepdim=True)
        mean = (w * volume).sum(dim=(2, 3, 4))
        return mean, ((w * (volume - mean[..., None, None, None]) ** 2).sum(dim=(2, 3, 4)) + EPSILON).sqrt()

    torch.testing.assert_close(slope(lambda v: channel_statistics(v, weight)), slope(by_the_formula))


def test_statistics_are_the_same_whether_something_is_learned_or_not(features):
    for half in (False, True):
        volume = features.bfloat16() if half else features
        for learned, read in zip(
            channel_statistics(volume.clone().requires_grad_()), channel_statistics(volume), strict=True
        ):
            torch.testing.assert_close(learned, read, rtol=0, atol=0)
