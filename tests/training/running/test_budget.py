import time

import pytest

from hail_mri.errors import InputError
from hail_mri.training.running.budget import Budget


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_no_time_at_all_is_refused(minutes):
    with pytest.raises(InputError, match="expected a number above 0"):
        Budget(10, minutes)


def test_what_ends_first_is_the_progress():
    budget = Budget(100, minutes=1)
    budget.seconds_before = 30.0
    assert budget.progress(10) == pytest.approx(0.5, abs=0.01)
    assert budget.progress(80) == 0.8


def test_time_is_kept_for_the_last_validation():
    budget = Budget(100, minutes=1)
    budget.seconds_before = 30.0
    budget.own_validation_seconds = 20.0
    assert budget.seconds_left == pytest.approx(10, abs=1)
    assert budget.progress(1) == pytest.approx(0.75, abs=0.02)
    budget.own_validation_seconds = 31.0
    assert budget.is_over(1)


def test_the_clock_runs():
    budget = Budget(100, minutes=0.01 / 60)
    time.sleep(0.02)
    assert budget.elapsed >= 0.02
    assert budget.is_over(0)


def test_a_budget_goes_by_the_time_that_was_agreed():
    budget = Budget(100, minutes=1)
    budget.agree(elapsed=45.0, validation_seconds=15.0)
    assert (budget.elapsed, budget.seconds_left, budget.is_over(0)) == (45.0, 0.0, True)
    assert budget.own_elapsed < 1
