import pickle

import pytest

from hail_mri.errors import HailError, InputError, MissingFileError, OutputExistsError, UnwritableError

CHILDREN = [
    pytest.param(InputError, ValueError, id="input"),
    pytest.param(MissingFileError, FileNotFoundError, id="missing file"),
    pytest.param(OutputExistsError, FileExistsError, id="output exists"),
    pytest.param(UnwritableError, OSError, id="unwritable"),
]


@pytest.mark.parametrize(("error_class", "builtin"), CHILDREN)
def test_an_error_is_its_message_and_also_the_builtin_it_specialises(error_class, builtin):
    error = error_class("scan.nii is empty", hint="copy it again")
    assert isinstance(error, HailError)
    assert isinstance(error, builtin)
    assert (str(error), error.hint) == ("scan.nii is empty", "copy it again")


@pytest.mark.parametrize("error_class", [HailError, InputError, MissingFileError, OutputExistsError, UnwritableError])
def test_an_error_survives_the_way_back_from_another_process(error_class):
    error = pickle.loads(pickle.dumps(error_class("scan.nii is empty", hint="copy it again")))
    assert type(error) is error_class
    assert (str(error), error.hint) == ("scan.nii is empty", "copy it again")


def test_a_hint_is_optional():
    assert HailError("no").hint == ""
