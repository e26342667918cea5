import numpy as np
import pytest

from hail_mri.model.denormals import flushed_denormals
from hail_mri.model.tiles import decode, encode


def half_of_the_smallest_normal_number():
    return np.float64(np.finfo(np.float64).tiny) / np.float64(2)


def test_denormals_are_0_inside_and_themselves_again_afterwards():
    with flushed_denormals():
        assert half_of_the_smallest_normal_number() == 0
        with flushed_denormals():
            pass
        assert half_of_the_smallest_normal_number() == 0
    assert half_of_the_smallest_normal_number() > 0


def test_they_come_back_after_an_error():
    with pytest.raises(ValueError, match="stop"), flushed_denormals():
        raise ValueError("stop")
    assert half_of_the_smallest_normal_number() > 0


def test_a_network_leaves_the_processor_as_it_was(make_network, volume):
    network = make_network()
    encoded = encode(network, volume, volume)
    decode(network, encoded, encoded.statistics)
    assert half_of_the_smallest_normal_number() > 0
