"""Tasks on one process and on two."""

import pytest

from hail_mri.apps.reproduction.work import each


@pytest.mark.parametrize("n_processes", [1, 2])
def test_every_task_is_done_and_counted(n_processes):
    steps = []
    found = list(each(abs, [-1, 2, -3], n_processes=n_processes, step=lambda: steps.append(1)))
    assert sorted(found) == [1, 2, 3]
    assert len(steps) == 3


def test_an_error_is_raised():
    with pytest.raises(ValueError, match="invalid literal"):
        list(each(int, ["1", "x"], n_processes=1, step=lambda: None))
