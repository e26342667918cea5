import pytest
import torch

from hail_mri.simulation.fields import Field, random_field


def test_a_field_is_interpolated_linearly_between_its_points():
    x, y, z = torch.meshgrid(*(torch.arange(5.0),) * 3, indexing="ij")
    field = Field((x + 10 * y + 100 * z)[None], (-4.0, -4.0, -4.0), 2.0)
    points = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 0.5, -3]])

    values = field.at(points)[0]

    torch.testing.assert_close(values, torch.tensor([222.0, 222.5, 2 + 22.5 + 50]))


def test_a_field_goes_on_with_its_border_value():
    field = Field(torch.arange(8.0).reshape(1, 2, 2, 2), (0.0, 0.0, 0.0), 1.0)

    assert field.at(torch.tensor([[50.0, 50, 50], [-50, -50, -50]]))[0].tolist() == [7, 0]


def test_random_fields_have_unit_spread_and_the_smoothness_asked_for():
    field = random_field(torch.Generator().manual_seed(0), n_channels=2, smoothness=12, spacing=6)

    torch.testing.assert_close(field.values.std(dim=(1, 2, 3)), torch.ones(2))
    # Noise smoothed by a Gaussian correlates as exp(-d² / 4 sigma²): here d = sigma = two points.
    correlation = (field.values[:, 2:] * field.values[:, :-2]).mean()
    assert correlation.item() == pytest.approx(0.78, abs=0.06)


def test_the_same_seed_draws_the_same_field():
    one, other = (random_field(torch.Generator().manual_seed(3), n_channels=1, smoothness=40, spacing=16) for _ in "ab")

    assert torch.equal(one.values, other.values)
