import numpy as np
import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.model.tissue_classes import TISSUE_CLASSES
from hail_mri.model.tissue_style import SMALLEST_FRACTION, UNKNOWN, TissueStyle, measure_tissue_style

N = 5000


def random_map(n_present=4):
    """Shares of the first classes; the others are not there."""
    some = torch.softmax(5 * torch.randn(n_present, N, generator=torch.Generator().manual_seed(0)), dim=0)
    return torch.cat([some, torch.zeros(len(TISSUE_CLASSES) - n_present, N)])


def test_class_means_are_those_of_pure_voxels_whatever_mixed_voxels_hold():
    tissue_map, wanted = torch.zeros(len(TISSUE_CLASSES), N), torch.tensor([0.1, 0.4, 0.6, 0.9])
    for k in range(4):
        tissue_map[k, k::4] = 1
    mixed = torch.arange(N) % 10 == 0
    tissue_map[:, mixed] = 0
    tissue_map[:2, mixed] = 0.5
    volume = (wanted[:, None] * tissue_map[:4]).sum(dim=0)
    volume[mixed] = 0.7  # not what the map says
    style = measure_tissue_style(tissue_map, volume, torch.ones(N))
    np.testing.assert_allclose(style.means[:4], wanted, atol=2e-3)


def test_a_voxel_of_weight_0_says_nothing():
    tissue_map, volume = random_map(), torch.rand(N, generator=torch.Generator().manual_seed(1))
    weight = (torch.arange(N) < N // 2).float()
    half = measure_tissue_style(tissue_map[:, : N // 2], volume[: N // 2], torch.ones(N // 2))
    assert measure_tissue_style(tissue_map, volume, weight) == half


def test_fractions_add_up_to_one():
    style = measure_tissue_style(random_map(), torch.rand(N), torch.ones(N))
    assert sum(style.fractions) == pytest.approx(1.0, abs=1e-4)


def test_a_class_that_is_not_there_is_unknown_and_a_large_one_is_known():
    tissue_map = random_map(3)
    volume = tissue_map[0] + 0.05 * torch.randn(N, generator=torch.Generator().manual_seed(2))
    style = measure_tissue_style(tissue_map, volume, torch.ones(N))
    assert style.errors[3] == UNKNOWN
    assert style.fractions[3] == SMALLEST_FRACTION
    assert max(style.errors[:3]) < 0.05


def test_more_voxels_make_a_class_mean_better_known():
    tissue_map, noise = random_map(), 0.1 * torch.randn(N, generator=torch.Generator().manual_seed(3))
    volume = tissue_map[1] + noise
    few = measure_tissue_style(tissue_map[:, : N // 16], volume[: N // 16], torch.ones(N // 16))
    many = measure_tissue_style(tissue_map, volume, torch.ones(N))
    np.testing.assert_allclose(np.divide(few.errors, many.errors)[:4], 4.0, rtol=0.3)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"means": (0.5,)}, id="too few"),
        pytest.param({"means": (float("nan"),) * len(TISSUE_CLASSES)}, id="not a number"),
        pytest.param({"errors": (-1.0,) * len(TISSUE_CLASSES)}, id="negative error"),
        pytest.param({"fractions": (0.0,) * len(TISSUE_CLASSES)}, id="no volume"),
    ],
)
def test_what_is_no_style_is_refused(changes):
    numbers = {name: (0.5,) * len(TISSUE_CLASSES) for name in ("means", "errors", "fractions")}
    with pytest.raises(InputError):
        TissueStyle(**(numbers | changes))
