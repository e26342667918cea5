import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hail_mri.errors import InputError
from hail_mri.image.scales import LinearScale

intensities = arrays(np.float32, st.integers(2, 50), elements=st.floats(-(2.0**14), 2.0**14, width=32))


@given(data=intensities, low=st.floats(-1000, 1000), width=st.floats(1, 5000))
def test_invert_undoes_apply_also_outside_the_range(data, low, width):
    scale = LinearScale(low, low + width)
    rounding = 4 * np.finfo(np.float32).eps * (np.abs(data).max() + abs(low) + width)
    np.testing.assert_allclose(scale.invert(scale.apply(data)), data, atol=rounding, rtol=0)
    assert scale.apply(data).dtype == np.float32


def test_low_becomes_0_and_high_becomes_1():
    scale = LinearScale(100, 300)
    assert scale.apply(np.array([100.0, 200.0, 300.0, 500.0])).tolist() == [0, 0.5, 1, 2]


def test_percentiles_0_and_100_are_the_range_inside_the_mask():
    data, mask = np.array([-50.0, 10.0, 20.0, 900.0]), np.array([False, True, True, False])
    whole = {"low_percentile": 0, "high_percentile": 100}
    assert LinearScale.from_percentiles(data, **whole) == LinearScale(-50, 900)
    assert LinearScale.from_percentiles(data, mask, **whole) == LinearScale(10, 20)


def test_percentiles_ignore_a_spike():
    data = np.append(np.linspace(0, 100, 1000), 1e6)
    scale = LinearScale.from_percentiles(data, np.ones(1001, dtype=bool))
    assert scale.high < 101


def test_fitting_and_applying_leave_the_data_alone():
    data = np.random.default_rng(0).normal(size=50)
    before = data.copy()
    LinearScale.from_percentiles(data).apply(data)
    np.testing.assert_array_equal(data, before)


@pytest.mark.parametrize(
    ("data", "mask", "message"),
    [
        pytest.param(np.full(5, 7.0), None, "two different intensities", id="constant"),
        pytest.param(np.array([1.0, 2.0]), np.zeros(2, dtype=bool), "mask is empty", id="empty mask"),
        pytest.param(np.array([1.0, 2.0]), np.ones(3, dtype=bool), "mask has the shape", id="other shape"),
    ],
)
def test_data_without_a_range_are_refused(data, mask, message):
    with pytest.raises(InputError, match=message):
        LinearScale.from_percentiles(data, mask)


def test_a_range_the_wrong_way_round_is_refused():
    with pytest.raises(InputError, match="low before high"):
        LinearScale(2, 1)
