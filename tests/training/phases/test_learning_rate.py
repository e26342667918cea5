import pytest

from hail_mri.training.phases.learning_rate import cosine


def test_the_learning_rate_warms_up_and_falls():
    assert cosine(0, 0.0, last=0.02) == pytest.approx(0.01)
    assert cosine(500, 0.0, last=0.02) == pytest.approx(1.0)
    assert cosine(500, 1.0, last=0.02) == pytest.approx(0.02)
