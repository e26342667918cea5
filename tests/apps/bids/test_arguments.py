import pytest

from hail_mri.apps.bids.arguments import spread_arguments


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("a b participant", "a b participant", id="none"),
        pytest.param("--participant-label 01 02 -v", "--participant-label 01 --participant-label 02 -v", id="several"),
        pytest.param("--participant_label sub-01", "--participant-label sub-01", id="underscores"),
        pytest.param(
            "--session-id=a_b --work_dir x_y", "--session-id=a_b --work-dir x_y", id="values keep underscores"
        ),
        pytest.param("--participant-label", "--participant-label", id="no value"),
        pytest.param("--participant-label -v", "--participant-label -v", id="an option for a value"),
        pytest.param("--session-id 1 -- a_b --x_y", "--session-id 1 -- a_b --x_y", id="after --"),
        pytest.param("--derivatives a b", "--derivatives a --derivatives b", id="data sets"),
        pytest.param("-w a b", "-w a b", id="others take one"),
    ],
)
def test_arguments_are_spread_as_people_write_them(given, expected):
    assert spread_arguments(given.split()) == expected.split()
