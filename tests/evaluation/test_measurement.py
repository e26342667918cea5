"""A measurement has a number or a reason, never both and never NaN."""

import pytest

from hail_mri.errors import InputError
from hail_mri.evaluation.measurement import Measurement


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(float("nan"), "", id="NaN"),
        pytest.param(None, "", id="neither"),
        pytest.param(1.0, "because", id="both"),
    ],
)
def test_what_says_nothing_or_two_things_is_refused(value, reason):
    with pytest.raises(InputError, match="a measurement"):
        Measurement(value, reason)


def test_infinity_is_a_number():
    assert Measurement(float("inf")).reason == ""
