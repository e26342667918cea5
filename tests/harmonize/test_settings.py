import math

import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.harmonize.settings import LARGEST_SEED, HarmonizeSettings


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_strengths_from_0_to_1_are_accepted(strength):
    assert HarmonizeSettings(strength=strength).strength == strength


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        pytest.param({"strength": -0.1}, "strength is -0.1, expected", id="strength below 0"),
        pytest.param({"strength": 1.1}, "strength is 1.1, expected", id="strength above 1"),
        pytest.param({"strength": math.nan}, "strength is nan, expected", id="strength NaN"),
        pytest.param({"output_mode": "paper"}, "output mode is 'paper', expected", id="output mode"),
        pytest.param({"device": "tpu"}, "device is 'tpu', expected", id="device"),
        pytest.param({"threads": 0}, "threads is 0, expected", id="threads"),
        pytest.param({"threads": 10**20}, "threads is 1.*, expected .* to 1024", id="too many threads"),
        pytest.param({"seed": -1}, "seed is -1, expected", id="seed"),
        pytest.param({"seed": 2**64}, "seed is 1.*, expected .* to 18446744073709551615", id="seed beyond torch's"),
    ],
)
def test_other_choices_are_refused_when_they_are_made(choice, message):
    with pytest.raises(InputError, match=message):
        HarmonizeSettings(**choice)


def test_the_largest_seed_is_the_largest_that_torch_takes():
    settings = HarmonizeSettings(seed=LARGEST_SEED)

    torch.Generator().manual_seed(settings.seed)
    with pytest.raises(ValueError, match="Overflow"):
        torch.Generator().manual_seed(settings.seed + 1)
